"""What an engine is going to do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection


class Plans:
    """How the engine goes about the statements that are given to a connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._said: list[tuple[str, Any]] = []
        event.listen(connection.sync_connection, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        self._said.append((statement, values))

    async def all(self, *, apart_from: str = "SELECT nothing") -> str:
        """The plans of what was said, one after the other, apart from statements that have those words in them."""
        explain = "EXPLAIN" if self._connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        said = [(statement, values) for statement, values in self._said if apart_from not in statement]
        plans = [await self._connection.exec_driver_sql(f"{explain} {statement}", values) for statement, values in said]
        return "\n".join(str(line[-1]) for plan in plans for line in plan)
