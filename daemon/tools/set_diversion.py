"""The tool ``set_diversion``: forwards an extension, or stops that."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from daemon.actor import Actor
from daemon.calls.numbers import NumberError, mask_number, normal_number
from daemon.pbx.contract import Diversions, in_words
from daemon.tools.contract import ToolError, acts
from protocols.dcmiws.diversions import DiversionKind

_ANY_VERSION = "*"


@acts
async def set_diversion(
    extension: Annotated[str, Meta(description="The extension that is forwarded.")],
    kind: Annotated[DiversionKind, Meta(description="When it is forwarded.")],
    number: Annotated[str, Meta(description="Where it is forwarded to; needed to turn it on.")] = "",
    enabled: Annotated[bool, Meta(description="false stops the forwarding and keeps its number.")] = True,
    *,
    diversions: Diversions,
    actor: Actor,
) -> dict[str, Any]:
    """Forward the calls of an extension to another number, or stop forwarding them."""
    try:
        destination = normal_number(number) if number else None
    except NumberError as error:
        raise ToolError(str(error)) from error
    stored = await diversions.change(
        extension, kind, actor=actor, version=_ANY_VERSION, enabled=enabled, destination=destination
    )
    now = next(diversion for diversion in stored.diversions if diversion.kind is kind)
    # The number that somebody else stored is not the caller's to hear.
    shown = now.destination if now.destination == destination else mask_number(now.destination)
    return {
        "extension": extension,
        "kind": kind,
        "in_effect": now.in_effect,
        "on_every_server": now.agreed,
        "summary": in_words(enabled=now.enabled, destination=shown),
    }
