"""A story in which people also speak, and what a screen would show of it."""

from __future__ import annotations

from daemon.calls.events import LegEnded, SpeechRecognised
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Utterance
from protocols.stt.result import RecognitionResult
from tests.daemon.calls.story import Story


class Dialogue(Story):
    """A story in which people also speak."""

    def __init__(self) -> None:
        super().__init__()
        self.transcripts = Transcripts(self.hub, self.registry, epoch="first")
        self.heard: list[Utterance] = []
        self.hub.tap((Utterance,), self.heard.append)

    def hear(
        self,
        leg_id: str,
        text: str,
        *,
        final: bool = True,
        stream: str = "",
        vendor: str = "brain_stt",
        **fields: object,
    ) -> None:
        self.now += 1
        self.transcripts.apply(
            SpeechRecognised(
                origin="freeswitch",
                server="main",
                leg_id=leg_id,
                at=self.now,
                result=RecognitionResult(text=text, final=final, **fields),  # type: ignore[arg-type]
                vendor=vendor,
                stream=stream,
            )
        )

    def happen(self, kind: type, leg_id: str, **fields: object) -> None:
        self.now += 1
        self.transcripts.apply(kind(origin="freeswitch", server="main", leg_id=leg_id, at=self.now, **fields))

    def end(self, leg_id: str, cause: str = "NORMAL_CLEARING", **fields: object) -> None:
        super().end(leg_id, cause, **fields)
        self.happen(LegEnded, leg_id, cause=cause)

    def finals(self, leg_id: str) -> list[str]:
        return [utterance.text for utterance in self.transcripts.finals(self.call(leg_id).call_id)]

    def shown(self) -> list[str]:
        """What a screen shows that replaces by utterance id and drops what is withdrawn."""
        screen: dict[str, Utterance] = {}
        for utterance in self.heard:
            known = screen.get(utterance.utterance_id)
            assert not (known and known.final), "a final was published again"
            screen[utterance.utterance_id] = utterance
        standing = sorted((one for one in screen.values() if one.text), key=lambda one: (one.said_at, one.seq))
        return [utterance.text for utterance in standing]
