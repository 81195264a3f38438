"""Contacts in the store, on both engines."""

from __future__ import annotations

from daemon.stores.contacts import ContactRow, count_contacts, get_contact, save_contacts
from daemon.stores.database import Database

JIN = ContactRow(
    number="01012345678", name="진", variables={"grade": "우수"}, metadata={"crm": "C-1", "tags": ["a", 2, None]}
)


async def test_a_contact_is_found_by_its_number(database: Database) -> None:
    async with database.transaction() as connection:
        await save_contacts(connection, [JIN, ContactRow(number="+12025550123")])
    async with database.read() as connection:
        assert await get_contact(connection, "01012345678") == JIN
        assert await get_contact(connection, "+12025550123") == ContactRow(number="+12025550123")
        assert await get_contact(connection, "12025550123") is None


async def test_a_number_that_is_there_is_replaced_as_a_whole_and_others_stay(database: Database) -> None:
    async with database.transaction() as connection:
        await save_contacts(connection, [JIN, ContactRow(number="021234567", name="소라")])
    again = ContactRow(number="01012345678", name="민", variables={"vip": "예"})
    async with database.transaction() as connection:
        await save_contacts(connection, [again])
        await save_contacts(connection, [])
    async with database.read() as connection:
        assert await get_contact(connection, "01012345678") == again
        assert (await get_contact(connection, "021234567")) == ContactRow(number="021234567", name="소라")
        assert await count_contacts(connection) == 2


async def test_thousands_at_once(database: Database) -> None:
    rows = [ContactRow(number=f"010{number:08}", name="이름" * 10) for number in range(3000)]
    async with database.transaction() as connection:
        await save_contacts(connection, rows)
    async with database.read() as connection:
        assert await count_contacts(connection) == 3000
        assert await get_contact(connection, rows[-1].number) == rows[-1]
