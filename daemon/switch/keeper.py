"""Keeps a link up: connects, hands the live link over, and when it ends, connects again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from daemon.backoff import Backoff
from daemon.calls.links import LinkState
from daemon.config import SwitchConfig
from daemon.switch.link import Link, LinkLostError, LinkRefusedError, connect

log = structlog.get_logger(__name__)


async def keep_up(
    config: SwitchConfig,
    make: Callable[[], Link],
    use: Callable[[Link], Awaitable[None]],
    away: Callable[[LinkState, str], None],
) -> None:
    """Connect to ``config``'s switch over and over until cancelled.

    ``make`` gives a link that is not connected yet. ``use`` has it from when it is signed in; it returns, or is
    cancelled, when the link has ended. ``away`` is told each time there is no link: ``AWAY``, or ``REFUSED`` when only
    an operator can help, and why. Nothing heard for ``silence_timeout`` ends a link.
    """
    backoff = Backoff(config.reconnect_first, config.reconnect_cap)
    loop = asyncio.get_running_loop()
    while True:
        link = make()
        try:
            await connect(link, config.host, config.port, within=config.connect_timeout)
        except LinkRefusedError as error:
            log.warning("switch_link_refused", link=link.name, error=str(error), retry_in=config.refused_retry)
            away(LinkState.REFUSED, str(error))
            await asyncio.sleep(config.refused_retry)
            continue
        except LinkLostError as error:
            log.debug("switch_link_not_made", link=link.name, error=str(error))
            away(LinkState.AWAY, str(error))
            await asyncio.sleep(backoff.next())
            continue
        log.info("switch_link_up", link=link.name)
        began = loop.time()
        reason = await _until_lost(link, use, config.silence_timeout)
        log.warning("switch_link_lost", link=link.name, error=reason)
        away(LinkState.AWAY, reason)
        # A switch that takes us in and drops us at once is not to be tried without a pause for ever.
        if loop.time() - began > config.reconnect_cap:
            backoff.reset()
        await asyncio.sleep(backoff.next())


async def _until_lost(link: Link, use: Callable[[Link], Awaitable[None]], silence: float) -> str:
    """Let ``use`` have the link until it ends, and return why it did."""
    user = asyncio.ensure_future(_guarded(link, use))
    loop = asyncio.get_running_loop()
    try:
        while not link.closed.done():
            idle = loop.time() - link.heard_at
            if idle >= silence:
                link.drop(f"nothing was heard for {silence:g} s")
                idle = 0.0
            await asyncio.wait({link.closed}, timeout=silence - idle)
        return link.closed.result()
    finally:
        user.cancel()
        link.drop("we closed it")
        await asyncio.wait({user})


async def _guarded(link: Link, use: Callable[[Link], Awaitable[None]]) -> None:
    """A use that fails costs this link: the next one begins afresh."""
    try:
        await use(link)
    except LinkLostError as error:
        link.drop(str(error))
    except Exception as error:
        log.exception("switch_link_failed", link=link.name)
        link.drop(f"we failed: {type(error).__name__}")
