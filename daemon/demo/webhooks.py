"""The demo's providers: they deliver signed webhooks now and then, and a destination takes what is forwarded."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import secrets
from typing import Final

import aiohttp

from daemon.config import DestinationConfig, HandlerConfig, InboxConfig, SourceConfig
from daemon.demo.receiver import UnsteadyReceiver
from daemon.demo.webhook_examples import Example, Examples
from daemon.secrets import destination_secret, environment_name, source_secret
from protocols.webhooks import github
from protocols.webhooks.hmac_scheme import HmacScheme

PAUSES: Final = (3.0, 9.0)
"""Seconds between two deliveries."""
RETRIES: Final = (2.0, 4.0, 8.0)
"""As a demo shows them: in seconds."""
CRM: Final = "crm"
"""The destination."""

_HEADER: Final = "X-Signature"
_AT_FIRST: Final = 5
"""Deliveries that come at once, so that there is something to see."""
_DOUBLE_EACH: Final = 9
_FORGED_EACH: Final = 14


class DemoWebhooks:
    """Start it, point Parley at :attr:`config`, and :meth:`deliver_to` it. ``speed`` divides every duration; ``seed``
    chooses what is delivered. Now and then a delivery comes twice, and one is not signed as it should be."""

    def __init__(self, *, speed: float = 1.0, seed: int = 1) -> None:
        self._speed = speed
        self._choice = random.Random(seed)  # noqa: S311 - a demo that repeats itself, not a secret
        self._examples = Examples(self._choice)
        self._github = SourceConfig(name="github", kind="github")
        self._voxai = SourceConfig(name="voxai", kind="voxai", header=_HEADER)
        self._secrets = {source.name: secrets.token_hex(24) for source in (self._github, self._voxai)}
        self._sending_secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
        # Its luck is its own, whatever comes when: with this seed it is not out of order for long time after time.
        luck = random.Random(seed + 6)  # noqa: S311
        self.receiver = UnsteadyReceiver(self._sending_secret, speed=speed, choice=luck)
        self._delivering: asyncio.Task[None] | None = None

    @property
    def _destination(self) -> DestinationConfig:
        return DestinationConfig(name=CRM, url=self.receiver.url, private_networks=["127.0.0.1/32"])

    @property
    def config(self) -> InboxConfig:
        """What Parley is to know of them, once the destination runs."""
        return InboxConfig(
            retries=[delay / self._speed for delay in RETRIES],
            source=[self._github, self._voxai],
            handler=[
                HandlerConfig(name="keep-github", source=self._github.name, use="store"),
                HandlerConfig(name="forward-voxai", source=self._voxai.name, use="forward", destination=CRM),
            ],
            destination=[self._destination],
        )

    @property
    def secrets(self) -> dict[str, str]:
        """The environment that goes with :attr:`config`."""
        return {
            environment_name(destination_secret(self._destination)): self._sending_secret,
            **{
                environment_name(source_secret(source)): self._secrets[source.name]
                for source in (self._github, self._voxai)
            },
        }

    async def start(self) -> None:
        """Start the destination."""
        await self.receiver.start()

    def deliver_to(self, address: str) -> None:
        """Deliver from now on to the Parley at ``address``, such as ``http://127.0.0.1:8000``."""
        self._delivering = asyncio.get_running_loop().create_task(self._deliver(address))

    async def stop(self) -> None:
        """Deliver no more, and close the destination."""
        if self._delivering is not None:
            self._delivering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._delivering
        await self.receiver.stop()

    async def _deliver(self, address: str) -> None:
        coming: list[Example] = []
        count = 0
        async with aiohttp.ClientSession(address) as session:
            while True:
                if not coming:
                    coming = [self._examples.github(), *self._examples.voxai()]
                example = coming.pop(0)
                count += 1
                if count > _AT_FIRST:
                    await asyncio.sleep(self._choice.uniform(*PAUSES) / self._speed)
                # A provider delivers again later; what is lost while the demo stops, nobody misses.
                with contextlib.suppress(aiohttp.ClientError):
                    await self._post(session, example, forged=count % _FORGED_EACH == 0)
                    if count % _DOUBLE_EACH == 0:
                        await self._post(session, example)

    async def _post(self, session: aiohttp.ClientSession, example: Example, *, forged: bool = False) -> None:
        secret = secrets.token_hex(24) if forged else self._secrets[example.source]
        signed = (
            github.sign(secret, example.body) if example.source == self._github.name else self._sign(secret, example)
        )
        headers = {"Content-Type": "application/json", **example.headers, **signed}
        async with session.post(f"/webhooks/{example.source}", data=example.body, headers=headers):
            pass

    def _sign(self, secret: str, example: Example) -> dict[str, str]:
        return HmacScheme(_HEADER).sign(secret, example.body)
