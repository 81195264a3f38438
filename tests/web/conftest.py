"""What tests of the web share. They run on uvloop, as the service does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from daemon.config import Config, Role
from daemon.stores.database import Database
from tests.services.databases import SqliteDatabases
from tests.web.browser import Browser, bearer
from tests.web.house import House

Connect = Callable[..., Awaitable[Browser]]


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def config() -> Config:
    return Config()


@pytest.fixture
def secrets() -> dict[str, str]:
    """As environment variables."""
    return {}


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A console as the build leaves it."""
    root = tmp_path / "static"
    (root / "assets").mkdir(parents=True)
    (root / "docs").mkdir()
    (root / "index.html").write_text("<!doctype html><title>Parley</title>")
    (root / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (root / "assets" / "index-B1x2_3.js").write_text("export {};")
    (root / "docs" / "index.html").write_text("<!doctype html><title>API</title>")
    (root / "docs" / "docs.js").write_text("void 0;")
    return root


@pytest.fixture
def store_url(sqlite_databases: SqliteDatabases) -> str:
    return sqlite_databases.make()


@pytest.fixture
async def house(store_url: str, config: Config, static: Path, secrets: dict[str, str]) -> AsyncIterator[House]:
    database = Database.of(store_url)
    made = House(database, config, static, secrets)
    yield made
    await made.close()
    await database.close()


@pytest.fixture
async def connect(house: House) -> AsyncIterator[Connect]:
    """Opens browsers on a server of the house, by API tokens, and closes them at the end."""
    browsers: list[Browser] = []
    tokens: dict[Role, str] = {}

    async def open_browser(role: Role = "operator", headers: dict[str, str] | None = None) -> Browser:
        if not house.servers:
            await house.serve()
        if headers is None:
            if role not in tokens:
                tokens[role] = await house.token(role)
            headers = bearer(tokens[role])
        browser = Browser()
        browsers.append(browser)
        await browser.connect(house.servers[-1], headers)
        await browser.until(lambda: bool(browser.payloads("calls")))
        return browser

    yield open_browser
    for browser in browsers:
        await browser.close()
