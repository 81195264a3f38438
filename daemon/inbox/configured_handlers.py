"""The handlers that the configuration names, those that come with Parley and functions of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from daemon.config import DestinationConfig, HandlerConfig
from daemon.inbox.contract import JSON, OWN, Handler, Inbox
from daemon.inbox.destinations import source_of
from daemon.inbox.forwarding import ForwardingHandler, StoringHandler, as_it_is, for_make_com
from daemon.inbox.handlers import NamedHandler
from daemon.inbox.own_events import EVENTS
from daemon.inbox.redactions import Redactions
from daemon.plugins import load
from daemon.stores.database import Database

DELIVERY = "delivery"
"""The parameter of a function of one's own that is given at each call."""


def configured_handlers(
    handlers: Sequence[HandlerConfig],
    destinations: Sequence[DestinationConfig],
    *,
    inbox: Inbox,
    database: Database,
    redactions: Redactions,
    supplies: Mapping[type, object],
    clock: Callable[[], float],
) -> Iterator[NamedHandler]:
    """Each of them, ready to run. Raises ``PluginError`` for a function that cannot be used."""
    for config in handlers:
        if config.use:
            yield NamedHandler(
                name=config.name,
                handle=_handle(
                    config,
                    inbox=inbox,
                    database=database,
                    redactions=redactions,
                    supplies=supplies,
                    clock=clock,
                ),
                source=config.source,
                event=config.event,
                deadline=config.deadline,
            )
    for destination in destinations:
        wanted = [event for event in EVENTS if any(fnmatchcase(event, one) for one in destination.events)]
        for event in wanted if destination.url else ():
            forward = ForwardingHandler(inbox, redactions, source_of(destination.name), as_it_is)
            # A configured name has no dot: this one is never taken.
            yield NamedHandler(name=f"{event}-to-{destination.name}", handle=forward.handle, source=OWN, event=event)


def _handle(
    config: HandlerConfig,
    *,
    inbox: Inbox,
    database: Database,
    redactions: Redactions,
    supplies: Mapping[type, object],
    clock: Callable[[], float],
) -> Handler:
    to = source_of(config.destination)
    match config.use:
        case "store":
            return StoringHandler(database, redactions, clock).handle
        case "forward":
            return ForwardingHandler(inbox, redactions, to, as_it_is).handle
        case "make-com":
            return ForwardingHandler(inbox, redactions, to, for_make_com, content_type=JSON).handle
    bound = load(config.use).bind(supplies, taken={DELIVERY}, options=config.options)

    async def handle(delivery: object) -> None:
        await bound(**{DELIVERY: delivery})

    return handle
