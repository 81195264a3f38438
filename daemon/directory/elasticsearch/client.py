"""The connection to an Elasticsearch of version 8 or newer, and what its errors mean."""

from __future__ import annotations

import ssl
from typing import Final

import elastic_transport
import msgspec
from elastic_transport.client_utils import DEFAULT
from elasticsearch import ApiError, AsyncElasticsearch

from daemon.config import ElasticsearchConfig
from daemon.secrets import ELASTICSEARCH_API_KEY, ELASTICSEARCH_PASSWORD, Secrets

FAULTS: Final = (
    ApiError,
    elastic_transport.TransportError,
    TimeoutError,
    OSError,
    # An answer that is not of the form it should be.
    LookupError,
    TypeError,
    msgspec.ValidationError,
)
"""What a request raises when the server is away, busy, refuses, or is something else."""

_ANOTHER_NODE: Final = (502, 503, 504)
"""Statuses after which another node is asked. 429 is none: a cluster that has too much to do is not asked again."""

_MEANT: Final = {
    401: ": it does not take the user and password, or the API key",
    403: ": the user or the API key may not do that there",
}
"""What an operator has to mend."""


def connect(config: ElasticsearchConfig, secrets: Secrets) -> AsyncElasticsearch:
    """A client, which connects when it is first used. Certificates are verified by the system's authorities and those
    in ``ca_file``.

    Raises ``OSError`` for a ``ca_file`` that ``parley check`` would have refused.
    """
    context = None
    if any(url.startswith("https:") for url in config.urls):
        context = ssl.create_default_context()
        if config.ca_file:
            context.load_verify_locations(config.ca_file)
    password = secrets.get(ELASTICSEARCH_PASSWORD)
    return AsyncElasticsearch(
        config.urls,
        basic_auth=(config.user, password or "") if config.user else None,
        api_key=None if config.user else secrets.get(ELASTICSEARCH_API_KEY),
        request_timeout=config.timeout,
        max_retries=len(config.urls) - 1,
        retry_on_status=_ANOTHER_NODE,
        ssl_context=DEFAULT if context is None else context,
    )


def reason(error: BaseException) -> str:
    """What went wrong, for an operator: nothing of what was asked for or is stored."""
    match error:
        case TimeoutError() | elastic_transport.ConnectionTimeout():
            return "it did not answer in time"
        case elastic_transport.TlsError():
            return "its certificate is not trusted, or it does not speak TLS"
        case elastic_transport.ConnectionError():
            return "it cannot be reached"
        case ApiError(meta=meta, body={"error": {"type": str(kind)}}):
            return f"it answered {meta.status} ({kind}){_MEANT.get(meta.status, '')}"
        case ApiError(meta=meta):
            return f"it answered {meta.status}{_MEANT.get(meta.status, '')}"
        case _:
            return f"its answer could not be read ({type(error).__name__})"
