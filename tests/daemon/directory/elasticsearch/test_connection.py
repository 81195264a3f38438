"""Who Elasticsearch is told we are, and over which line: a real TLS socket before a real server."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import msgspec
import pytest
import trustme

from daemon.config import ElasticsearchConfig
from daemon.directory.contract import DirectoryAwayError, Entry
from daemon.secrets import Secrets
from daemon.stores.database import Database
from daemon.stores.directory_entries import save_directory_entries
from tests.daemon.directory.elasticsearch.conftest import MakesEngine
from tests.services.elasticsearch_door import Door

HONG = Entry(entry_id="person:1", kind="person", name="홍길동")
AUTHORITY = trustme.CA()
BASIC = "Basic " + base64.b64encode(b"parley:example secret").decode()
WITH_PASSWORD = Secrets({"PARLEY_ELASTICSEARCH_PASSWORD": "example secret"})
WITH_KEY = Secrets({"PARLEY_ELASTICSEARCH_API_KEY": "ZXhhbXBsZTpleGFtcGxl"})


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(path)
    return str(path)


@pytest.mark.parametrize(
    ("user", "secrets", "authorization"),
    [("parley", WITH_PASSWORD, BASIC), ("", WITH_KEY, "ApiKey ZXhhbXBsZTpleGFtcGxl")],
    ids=["password", "API key"],
)
async def test_who_is_known_is_let_in_over_tls(
    store: Database,
    elasticsearch: ElasticsearchConfig,
    make_engine: MakesEngine,
    tls: ssl.SSLContext,
    ca_file: str,
    user: str,
    secrets: Secrets,
    authorization: str,
) -> None:
    async with store.transaction() as connection:
        await save_directory_entries(connection, [HONG])
    async with Door(elasticsearch.urls[0], tls=tls, authorization=authorization) as door:
        config = msgspec.structs.replace(elasticsearch, urls=[door.url], user=user, ca_file=ca_file)
        engine = make_engine(store, config, secrets=secrets)
        assert await engine.refresh() == 1
        [match] = await engine.search("홍길동")
        assert match.entry == HONG
        unknown = make_engine(store, config, secrets=Secrets({}))
        with pytest.raises(
            DirectoryAwayError, match=r"it answered 401 \(security_exception\): it does not take the user"
        ):
            await unknown.search("홍길동")
        assert "it does not take the user and password, or the API key" in unknown.condition().detail


async def test_a_certificate_that_nobody_trusts_is_refused(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine, tls: ssl.SSLContext
) -> None:
    async with Door(elasticsearch.urls[0], tls=tls) as door:
        engine = make_engine(store, msgspec.structs.replace(elasticsearch, urls=[door.url]), secrets=WITH_KEY)
        with pytest.raises(DirectoryAwayError, match="its certificate is not trusted"):
            await engine.search("홍길동")
        assert door.requests == []


async def test_where_a_node_is_away_another_is_asked(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine
) -> None:
    async with Door(elasticsearch.urls[0]) as door:
        gone = door.url
    config = msgspec.structs.replace(elasticsearch, urls=[gone, elasticsearch.urls[0]])
    engine = make_engine(store, config)
    for _ in range(3):
        await engine.refresh()
        assert await engine.search("홍길동") == []


async def test_what_is_no_elasticsearch_is_said(
    store: Database, elasticsearch: ElasticsearchConfig, make_engine: MakesEngine
) -> None:
    async with Door(elasticsearch.urls[0]) as door:
        gone = door.url
    engine = make_engine(store, msgspec.structs.replace(elasticsearch, urls=[gone]))
    with pytest.raises(DirectoryAwayError, match="it cannot be reached"):
        await engine.search("홍길동")
