"""The Elasticsearch that an old ``.env`` names by host and port."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import msgspec


class SearchServer(msgspec.Struct, frozen=True):
    """Where it is, without the user and the password that were given with it."""

    url: str
    user: str
    password: str


def search_server(host: str, port: str) -> SearchServer:
    """What ``host`` (a name, an address, or a URL with or without a port) and ``port`` (which may be ``""``) mean.

    Without a scheme it is http, as old clients took it. Raises ``ValueError`` where they mean nothing.
    """
    if host.count(":") > 1 and "://" not in host and not host.startswith("["):
        host = f"[{host}]"
    parts = urlsplit(host if "://" in host else f"http://{host}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("this is no address of that kind")
    number = parts.port if parts.port is not None else int(port or 9200)
    if not 0 < number <= 65535:
        raise ValueError("this is no port")
    place = parts.netloc.rpartition("@")[2]
    if parts.port is not None:
        place = place.rpartition(":")[0]
    url = f"{parts.scheme}://{place.rstrip(':')}:{number}{parts.path.rstrip('/')}"
    return SearchServer(url, unquote(parts.username or ""), unquote(parts.password or ""))
