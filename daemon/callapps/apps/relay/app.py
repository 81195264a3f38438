"""The app that lets another one lead, which speaks voice relay v1: Parley owns the telephone, the app the words."""

from __future__ import annotations

import time

import structlog
from websockets.asyncio.client import ClientConnection

from daemon.callapps.apps.relay.dial import DialError, dial
from daemon.callapps.apps.relay.dialogue import Dialogue
from daemon.callapps.apps.relay.options import RelayOptions
from daemon.callapps.contract import AppCall, AppSecret, GivenUpError
from daemon.config import CallAppConfig
from daemon.secrets import UnreadableSecretError
from protocols.errors import LocalError
from protocols.relay.messages import Setup
from protocols.relay.signature import VERSION, Dial, sign

log = structlog.get_logger(__name__)


async def relay(call: AppCall, *, config: CallAppConfig, secret: AppSecret, options: RelayOptions) -> None:
    """Let an app elsewhere lead the call in text, over a WebSocket (voice relay v1)."""
    app_id = options.app_id or config.name
    dialled = Dial(app_id, call.call_id)
    app = await _reach(call, config.name, dialled, secret, options)
    setup = Setup(
        turn=0,  # the session counts
        version=VERSION,
        call_id=dialled.call_id,
        tenant_id=options.tenant_id,
        org_id=options.org_id,
        app_id=app_id,
        did=call.did,
        notice_played=bool(options.notice),
        caller=call.caller if options.tell_caller and call.caller else None,
    )
    await Dialogue(config.name, call, app, options).lead(setup)


async def _reach(call: AppCall, name: str, dialled: Dial, secret: AppSecret, options: RelayOptions) -> ClientConnection:
    """The app's WebSocket, while the caller hears it ring. Raises :class:`GivenUpError`."""
    try:
        return await dial(options, sign(secret.read() or "", dialled, timestamp=int(time.time())))
    except (DialError, LocalError, UnreadableSecretError) as error:
        log.warning("relay_not_reached", app=name, call_id=call.call_id, why=str(error))
        raise GivenUpError("app_away") from error
