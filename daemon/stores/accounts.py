"""Users, their sessions and API tokens as rows. Of passwords and tokens only hashes are ever stored."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import api_tokens, sessions, users


class UserRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person who signs in by password. Times are Unix seconds; ``role`` is viewer, operator or admin.

    ``extension`` is where calls reach them, ``""`` where that is not known.
    """

    name: str
    password_hash: str
    role: str
    created_at: float
    password_changed_at: float
    extension: str = ""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A sign-in that lasts until ``expires_at``. ``user_name`` is ``None`` where a one-time code began it."""

    token_hash: str
    user_name: str | None
    name: str
    role: str
    created_at: float
    expires_at: float


class ApiTokenRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A machine's way in. ``last_used_at`` is coarse: it is written now and then, not at each use."""

    token_hash: str
    name: str
    role: str
    created_at: float
    last_used_at: float | None = None


_USER: Final = [users.c[name] for name in UserRow.__struct_fields__]

# Users


async def add_user(connection: AsyncConnection, row: UserRow) -> None:
    """Add a user; a name that is there already is refused (``RowRefusedError``)."""
    await connection.execute(insert(users).values(msgspec.structs.asdict(row)))


async def get_user(connection: AsyncConnection, name: str) -> UserRow | None:
    """The user of that exact name."""
    row = (await connection.execute(select(*_USER).where(users.c.name == name))).first()
    return None if row is None else UserRow(**row._mapping)


async def list_users(connection: AsyncConnection) -> list[UserRow]:
    """All users by name."""
    return [UserRow(**row._mapping) for row in await connection.execute(select(*_USER).order_by(users.c.name))]


async def set_password_hash(
    connection: AsyncConnection, name: str, password_hash: str, *, changed_at: float | None
) -> bool:
    """Replace a user's hash; ``changed_at`` is ``None`` where the password is the same. False: no such user."""
    values: dict[str, object] = {"password_hash": password_hash}
    if changed_at is not None:
        values["password_changed_at"] = changed_at
    result = await connection.execute(update(users).where(users.c.name == name).values(**values))
    return result.rowcount > 0


async def set_role(connection: AsyncConnection, name: str, role: str) -> bool:
    """Change a user's role, which holds for their sessions at once. False: no such user."""
    result = await connection.execute(update(users).where(users.c.name == name).values(role=role))
    return result.rowcount > 0


async def set_extension(connection: AsyncConnection, name: str, extension: str) -> bool:
    """Note where a user can be reached, ``""`` for nowhere. False: no such user."""
    result = await connection.execute(update(users).where(users.c.name == name).values(extension=extension))
    return result.rowcount > 0


async def remove_user(connection: AsyncConnection, name: str) -> bool:
    """Remove a user and their sessions. False: no such user."""
    return (await connection.execute(delete(users).where(users.c.name == name))).rowcount > 0


# Sessions


async def add_session(connection: AsyncConnection, row: SessionRow) -> None:
    """Begin a session."""
    await connection.execute(insert(sessions).values(msgspec.structs.asdict(row)))


async def find_session(connection: AsyncConnection, token_hash: str) -> SessionRow | None:
    """The session, expired or not; a user's role is the one they have now."""
    role = func.coalesce(users.c.role, sessions.c.role).label("role")
    query = (
        select(*(column for column in sessions.c if column.name != "role"), role)
        .outerjoin(users, users.c.name == sessions.c.user_name)
        .where(sessions.c.token_hash == token_hash)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else SessionRow(**row._mapping)


async def remove_session(connection: AsyncConnection, token_hash: str) -> bool:
    """End one session. False: there was none."""
    return (await connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))).rowcount > 0


async def remove_sessions_of(connection: AsyncConnection, user_name: str) -> None:
    """End every session of a user."""
    await connection.execute(delete(sessions).where(sessions.c.user_name == user_name))


async def remove_expired_sessions(connection: AsyncConnection, now: float) -> None:
    """Forget sessions that ended by themselves."""
    await connection.execute(delete(sessions).where(sessions.c.expires_at <= now))


# API tokens


async def add_api_token(connection: AsyncConnection, row: ApiTokenRow) -> None:
    """Add a token; a name that is there already is refused (``RowRefusedError``)."""
    await connection.execute(insert(api_tokens).values(msgspec.structs.asdict(row)))


async def find_api_token(connection: AsyncConnection, token_hash: str) -> ApiTokenRow | None:
    """The token of that hash."""
    row = (await connection.execute(select(api_tokens).where(api_tokens.c.token_hash == token_hash))).first()
    return None if row is None else ApiTokenRow(**row._mapping)


async def list_api_tokens(connection: AsyncConnection) -> list[ApiTokenRow]:
    """All tokens by name."""
    query = select(api_tokens).order_by(api_tokens.c.name)
    return [ApiTokenRow(**row._mapping) for row in await connection.execute(query)]


async def note_api_token_used(connection: AsyncConnection, token_hash: str, at: float) -> None:
    """Write when a token was last used."""
    await connection.execute(update(api_tokens).where(api_tokens.c.token_hash == token_hash).values(last_used_at=at))


async def remove_api_token(connection: AsyncConnection, name: str) -> str | None:
    """Remove a token by its name; returns the hash it had, ``None`` where there was none."""
    query = delete(api_tokens).where(api_tokens.c.name == name).returning(api_tokens.c.token_hash)
    return (await connection.execute(query)).scalar()
