"""The smallest app: it says again what it hears."""

from __future__ import annotations

from daemon.callapps.contract import AppCall, Listening


async def echo(call: AppCall) -> None:
    """Repeat what the caller says or presses, until nothing more comes."""
    await call.answer()
    heard = await call.listen("안녕하세요. 하시는 말씀을 따라 합니다.")
    while heard.ended is not Listening.NO_INPUT:
        call.outcome = "repeated"
        heard = await call.listen(heard.digits or heard.text)
    await call.hang_up("감사합니다. 안녕히 계세요.")
