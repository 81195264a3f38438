"""The tool ``click_to_call``: rings an extension and then calls a number from it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from daemon.actor import Actor
from daemon.calls.numbers import NumberError, normal_number
from daemon.pbx.contract import CallStep, ClickToCall, ClickToCallRequest
from daemon.tools.contract import RequestKeys, ToolError, acts

_UNPLACED = (CallStep.FAILED, CallStep.CALLER_UNREACHED)


@acts
async def click_to_call(
    extension: Annotated[str, Meta(description="The extension that rings first.")],
    number: Annotated[str, Meta(description="The phone number that is called then.")],
    call_id: Annotated[str, Meta(max_length=200, description="The id of this conversation, where it is known.")] = "",
    *,
    click_to_call: ClickToCall,
    actor: Actor,
    keys: RequestKeys,
) -> dict[str, Any]:
    """Connect an extension with a phone number. Asked twice within a minute for the same, it places one call."""
    try:
        callee = normal_number(number)
    except NumberError as error:
        raise ToolError(str(error)) from error
    request = ClickToCallRequest(caller=extension, callee=callee)
    placed = await click_to_call.place(request, actor=actor, key=keys.key(call_id, extension, callee))
    step = placed.steps[-1].step if placed.steps else CallStep.REQUESTED
    answer: dict[str, Any] = {"placed": step not in _UNPLACED, "step": step}
    if placed.forwards:
        answer["notice"] = "The extension is forwarded, so another phone may ring."
    return answer
