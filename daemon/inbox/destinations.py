"""Outgoing webhooks. What goes to a destination is a delivery of a source of its own, ``to:<name>``: it is retried,
ordered, replayed and looked at like any other."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import aiohttp
import msgspec
import structlog

from daemon.address_guard import AddressGuard, PrivateAddressError
from daemon.config import DestinationConfig
from daemon.health import Condition, Part
from daemon.inbox.circuit import Circuit
from daemon.inbox.contract import JSON, Delivery, PermanentError, PostponedError, RetryLaterError
from daemon.secrets import Secrets, destination_secret, destination_url
from daemon.version import version
from protocols.errors import LocalError
from protocols.retry_after import retry_after
from protocols.webhooks.standard import sign

log = structlog.get_logger(__name__)

_TRY_AGAIN: Final = frozenset({408, 409, 421, 423, 425, 429})
"""Client errors that another try may cure."""
_CONNECTIONS: Final = 32
_QUEUE: Final = 5.0
"""Seconds that a send waits for one of them to be free. Whoever waits keeps other deliveries from being worked on."""


def source_of(name: str) -> str:
    """The source of what goes to that destination."""
    return f"to:{name}"


class Destination:
    """One of them. Without a ``secret`` nothing is signed.

    ``clock`` gives Unix seconds, ``steady`` seconds that never go back. ``queue`` is how many of them a send waits
    where as many as there may be are under way. ``latest`` gives a delivery as it may be sent now, and is asked last.
    """

    def __init__(
        self,
        config: DestinationConfig,
        secret: str | None,
        clock: Callable[[], float],
        *,
        latest: Callable[[Delivery], Awaitable[Delivery]],
        steady: Callable[[], float] = time.monotonic,
        queue: float = _QUEUE,
    ) -> None:
        self.name = config.name
        self.events = tuple(config.events)
        self.patience = queue + config.deadline + 5.0
        """Seconds after which a send is cut off from outside: its own deadline comes first."""
        self._config = config
        self._secret = secret
        self._clock = clock
        self._latest = latest
        self._steady = steady
        self._queue = queue
        self._free = asyncio.Semaphore(_CONNECTIONS)
        self._guard = AddressGuard(ipaddress.ip_network(network) for network in config.private_networks)
        self._circuit = Circuit()
        self._session: aiohttp.ClientSession | None = None
        self._problem = ""

    async def send(self, delivery: Delivery) -> None:
        """A handler: post the body, signed as Standard Webhooks are, and see whether it was taken.

        Redirects are not followed: the address is the operator's to mend.
        """
        try:
            async with asyncio.timeout(self._queue):
                await self._free.acquire()
        except TimeoutError as error:
            # That it is slow with others says nothing of this one.
            raise PostponedError(f"{self.name} is busy with {_CONNECTIONS} others", after=self._queue) from error
        try:
            await self._try(await self._latest(delivery))
        finally:
            self._free.release()

    async def _try(self, delivery: Delivery) -> None:
        began = self._steady()
        wait = self._circuit.wait(began)
        if wait:
            raise PostponedError(f"{self.name} keeps failing: {self._problem}", after=wait, counts_in_the_end=True)
        try:
            await self._post(delivery)
        except PermanentError:
            self._circuit.succeeded()  # it is there, and says no
            raise
        except Exception as error:
            self._problem = str(error)
            was_open = self._circuit.is_open
            self._circuit.failed(self._steady(), began=began)
            if self._circuit.is_open and not was_open:
                log.warning("destination_failing", destination=self.name)
            raise
        except BaseException:
            self._circuit.failed(self._steady(), began=began)
            raise
        if self._circuit.is_open:
            log.info("destination_works_again", destination=self.name)
        self._circuit.succeeded()

    async def _post(self, delivery: Delivery) -> None:
        now = self._clock()
        headers = {"Content-Type": delivery.headers.get("content-type", JSON)}
        if self._secret is not None:
            # The same for each attempt; a dot would be taken for the end of it.
            message_id = (delivery.other_id or delivery.delivery_id).replace(".", "-")
            headers |= sign(self._secret, message_id, int(now), delivery.body)
        try:
            async with (
                asyncio.timeout(self._config.deadline),
                self._client().post(
                    self._config.url, data=delivery.body, headers=headers, allow_redirects=False
                ) as response,
            ):
                status, asked = response.status, response.headers.get("Retry-After")
        except PrivateAddressError as error:
            raise PermanentError(str(error)) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, PrivateAddressError):
                raise PermanentError(str(error.os_error)) from error
            raise RetryLaterError(f"it cannot be reached ({type(error).__name__})") from error
        except aiohttp.InvalidURL as error:
            raise PermanentError("its address is none") from error
        except TimeoutError as error:
            raise RetryLaterError(f"no answer within {self._config.deadline:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise RetryLaterError(f"it broke off ({type(error).__name__})") from error
        if 200 <= status < 300:
            return
        if status >= 500 or status in _TRY_AGAIN:
            raise RetryLaterError(f"HTTP {status}", after=retry_after(asked, now))
        raise PermanentError(f"HTTP {status}")

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS, socket_factory=self._guard.socket)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": f"Parley/{version()}"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    async def close(self) -> None:
        """End its connections."""
        if self._session is not None:
            await self._session.close()

    def condition(self) -> Part:
        """For health."""
        if self._circuit.is_open:
            return Part(Condition.DEGRADED, f"it keeps failing: {self._problem}")
        return Part(Condition.OK)


def open_destinations(
    configs: Iterable[DestinationConfig],
    secrets: Secrets,
    clock: Callable[[], float],
    latest: Callable[[Delivery], Awaitable[Delivery]],
) -> dict[str, Destination]:
    """Those that have an address, by name. Raises ``LocalError`` where that is a secret that is missing."""
    opened = {}
    for config in configs:
        url = destination_url(config, secrets)
        if url is None:
            raise LocalError(f"the address of {config.name} is missing")
        if url:
            secret = secrets.get(destination_secret(config)) if config.signed else None
            opened[config.name] = Destination(msgspec.structs.replace(config, url=url), secret, clock, latest=latest)
    return opened
