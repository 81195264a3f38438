"""The demo's PBX: a simulated gateway with two servers, the vendor's REST, and people who call and are called."""

from __future__ import annotations

import asyncio
import contextlib
import random

from daemon.config import ClickToCallConfig, PbxConfig, PbxServerConfig, PbxTenantConfig
from daemon.demo.pbx_gateway import CONTEXT, TENANT_ID, SimulatedGateway
from daemon.demo.pbx_rest import APP_KEY, SimulatedVendorRest
from daemon.demo.pbx_server import ANYBODY, Phone
from daemon.secrets import environment_name, tenant_app_key, tenant_id

TENANT = "demo"
PAUSES = (12.0, 30.0)
"""Seconds between two calls from outside."""
TALKS = (15.0, 45.0)
EXTENSIONS = ("1010", "1011", "1012", "1013")
DID = "0212345678"


class DemoPbx:
    """Start it, and Parley can be pointed at :attr:`config`. ``speed`` divides every duration; ``seed`` chooses the
    callers. Extension 1013 is away from its phone, and 1012 is always talking."""

    def __init__(self, *, speed: float = 1.0, seed: int = 1) -> None:
        self.gateway = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"}, speed=speed)
        self.rest = SimulatedVendorRest(self.gateway)
        self._choice = random.Random(seed)  # noqa: S311 - a demo that repeats itself, not a secret
        self._speed = speed
        self._calling: asyncio.Task[None] | None = None
        for extension in EXTENSIONS:
            self.gateway.phones[extension] = Phone(answers_after=2.5)
        self.gateway.phones[ANYBODY] = Phone(answers_after=3.0, hangs_up_after=TALKS[0])
        self.gateway.phones["1012"] = Phone(busy=True)
        self.gateway.phones["1013"] = Phone(answers_after=None)

    @property
    def config(self) -> PbxConfig:
        """How to reach it once it runs."""
        return PbxConfig(
            url=self.gateway.url,
            reconnect_cap=2.0,
            ping_interval=5.0,
            server=[PbxServerConfig(name="pbx1", id=1), PbxServerConfig(name="pbx2", id=2)],
            tenant=[
                PbxTenantConfig(
                    name=TENANT,
                    extensions=[r"1\d{3}"],
                    context=CONTEXT,
                    account_code="07000005605",
                    cos_id="2",
                    caller_name="한빛상담실",
                    caller_number="16000001",
                    ring_time=20.0,
                )
            ],
            click_to_call=ClickToCallConfig(ways=["websocket", "rest"], rest_url=self.rest.url),
        )

    @property
    def secrets(self) -> dict[str, str]:
        """The environment that goes with :attr:`config`."""
        tenant = PbxTenantConfig(name=TENANT)
        return {
            environment_name(tenant_id(tenant)): TENANT_ID,
            environment_name(tenant_app_key(tenant)): APP_KEY,
        }

    async def start(self) -> None:
        """Start it, and let people call."""
        await self.gateway.start()
        await self.rest.start()
        self._calling = asyncio.get_running_loop().create_task(self._call_in())

    async def stop(self) -> None:
        """End everybody's calls and close."""
        if self._calling is not None:
            self._calling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._calling
        await self.rest.stop()
        await self.gateway.close()

    async def _call_in(self) -> None:
        while True:
            await asyncio.sleep(self._choice.uniform(*PAUSES) / self._speed)
            server = self._choice.choice(list(self.gateway.servers.values()))
            caller = f"010{self._choice.randrange(10_000_000, 99_999_999)}"
            self.gateway.phones[caller] = Phone(hangs_up_after=self._choice.uniform(*TALKS))
            server.ring_in(caller, "", DID, self._choice.choice(EXTENSIONS))
