"""SQLAlchemy's engine for a PostgreSQL server, and how its driver is told the same without it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def postgresql_engine(url: URL, password: str | None, pool_size: int, timeout: float) -> AsyncEngine:
    """An engine of ``pool_size`` connections, each made, or waited for, within ``timeout`` seconds."""
    if password is not None:
        url = url.set(password=password)
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeout,
        hide_parameters=True,
        connect_args=_connect_arguments(timeout),
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_closed(_connection: Any, record: Any, _proxy: Any) -> None:
        # The driver has noticed that the server closed this connection: that spares a round trip to find out.
        if record.driver_connection.is_closed():
            raise DisconnectionError("the server closed the connection")

    return engine


def driver_arguments(engine: AsyncEngine, timeout: float) -> dict[str, Any]:
    """How the driver is told by itself what the pool is told by an address."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    # An address may have these for SQLAlchemy, which keeps them from the driver.
    for name in ("prepared_statement_cache_size", "prepared_statement_name_func"):
        arguments.pop(name, None)
    return {**arguments, **_connect_arguments(timeout)}


def _connect_arguments(timeout: float) -> dict[str, Any]:
    """What every connection to PostgreSQL is made with; ``timeout`` is for its making, in seconds."""
    return {"timeout": timeout, "server_settings": {"application_name": "parley"}}
