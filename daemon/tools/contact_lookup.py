"""The inbound lookup ``contacts``: who calls, from the table of contacts."""

from __future__ import annotations

from daemon.calls.numbers import NumberError, normal_number
from daemon.stores.contacts import get_contact
from daemon.stores.database import Database
from daemon.tools.contract import InboundAnswer


async def lookup(from_number: str, *, database: Database) -> InboundAnswer:
    """The contact's variables, its name as ``name``, and its metadata; nothing for a number that is not known."""
    try:
        number = normal_number(from_number)
    except NumberError:  # withheld, or a SIP name
        return InboundAnswer()
    async with database.read() as connection:
        contact = await get_contact(connection, number)
    if contact is None:
        return InboundAnswer()
    named = {"name": contact.name} if contact.name else {}
    return InboundAnswer(dynamic_variables=named | contact.variables, metadata=contact.metadata)
