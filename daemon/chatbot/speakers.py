"""Who it is that writes: the person's row, by who they are at the messenger, else by their e-mail address."""

from __future__ import annotations

import structlog

from daemon.chatbot.contract import Said
from daemon.stores.database import Database, RowRefusedError
from daemon.stores.people import PersonRow, find_person_by_email, find_person_by_webex_id, link_person_to_webex

log = structlog.get_logger(__name__)


class Speakers:
    """Knows people again. The messenger vouches for both the id and the address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, said: Said) -> PersonRow | None:
        """Who said that; ``None`` for a stranger. Somebody new is linked, as is their own room with the bot.

        Raises ``DatabaseAwayError``.
        """
        try:
            async with self._database.read() as connection:
                person = await find_person_by_webex_id(connection, said.person_id)
                if person is None and said.person_email:
                    person = await find_person_by_email(connection, said.person_email.lower())
            room_id = said.room_id if said.room_type == "direct" else ""
            if person is None or (person.webex_person_id == said.person_id and room_id in ("", person.room_id)):
                return person
            async with self._database.transaction() as connection:
                await link_person_to_webex(connection, person.name, webex_person_id=said.person_id, room_id=room_id)
            log.info("chat_person_linked", user=person.name)
        except RowRefusedError:  # an id that no database takes is nobody's
            return None
        return person
