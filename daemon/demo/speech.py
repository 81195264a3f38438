"""Speech-to-text of the simulated switch: what each vendor's module sends."""

from __future__ import annotations

import json
from collections.abc import Callable

from daemon.demo.channel import Channel
from daemon.demo.event import Headers

BRAIN_RATE = 8000
"""Samples per second in which ``brain_stt`` counts."""


def recognised(
    channel: Channel,
    text: str,
    *,
    start: float,
    end: float,
    vendor: str = "brain_stt",
    final: bool = True,
    confidence: float = 0.9,
) -> None:
    """Fire one recognition result of ``vendor``; ``start`` and ``end`` are seconds of the recogniser's audio.

    ``brain_stt`` has no interims: asking it for one is a mistake of the caller.
    """
    if vendor == "brain_stt" and not final:
        raise ValueError("brain_stt sends finals only")
    body = BODIES[vendor](text, start, end, final, confidence)
    subclass = "brain_stt::transcription" if vendor == "brain_stt" else f"{vendor}_transcribe::transcription"
    after: Headers = [("transcription-vendor", VENDOR_NAMES.get(vendor, vendor)), ("media-bugname", vendor)]
    origin = (f"mod_{vendor}.c" if vendor == "brain_stt" else f"mod_{vendor}_transcribe.c", "fire", 11)
    channel.fire("CUSTOM", after, body=body, subclass=subclass, origin=origin)


def _brain(text: str, start: float, end: float, final: bool, confidence: float) -> str:
    samples = {"start": round(start * BRAIN_RATE), "end": round(end * BRAIN_RATE)}
    return json.dumps({"text": f"\n{text}", **samples}, ensure_ascii=False, separators=(",", ":"))


def _google(text: str, start: float, end: float, final: bool, confidence: float) -> str:
    alternative = {"confidence": confidence if final else 0.0, "transcript": text, "words": _words(text, start, end)}
    return json.dumps(
        {
            "stability": 0.0 if final else 0.8,
            "is_final": final,
            "alternatives": [alternative],
            "language_code": "ko-kr",
            "channel_tag": 0,
            "result_end_time": round(end * 1000),
        },
        ensure_ascii=False,
    )


def _words(text: str, start: float, end: float) -> list[dict[str, object]]:
    words = text.split()
    step = (end - start) / max(1, len(words))
    return [
        {
            "word": word,
            "start_time": round((start + i * step) * 1000),
            "end_time": round((start + (i + 1) * step) * 1000),
        }
        for i, word in enumerate(words)
    ]


def _deepgram(text: str, start: float, end: float, final: bool, confidence: float) -> str:
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": round(end - start, 3),
            "start": round(start, 3),
            "is_final": final,
            "speech_final": final,
            "channel": {"alternatives": [{"transcript": text, "confidence": confidence, "words": []}]},
        },
        ensure_ascii=False,
    )


def _azure(text: str, start: float, end: float, final: bool, confidence: float) -> str:
    ticks = {"Offset": round(start * 10_000_000), "Duration": round((end - start) * 10_000_000)}
    body: dict[str, object] = {"Id": f"{round(start * 1000):032x}"}
    if final:
        body |= {"RecognitionStatus": "Success", "DisplayText": text}
    else:
        body["Text"] = text
    return json.dumps(body | ticks, ensure_ascii=False)


def _aws(text: str, start: float, end: float, final: bool, confidence: float) -> str:
    return f'[{{"is_final":{str(final).lower()},"alternatives":[{{"transcript":"{text}"}}]}}]'


def _nuance(text: str, start: float, end: float, final: bool, confidence: float) -> str:
    alternatives = [{"confidence": confidence, "transcript": text}]
    return json.dumps({"is_final": final, "alternatives": alternatives}, ensure_ascii=False)


def _ibm(text: str, start: float, end: float, final: bool, confidence: float) -> str:
    result = {"final": final, "alternatives": [{"transcript": text, "confidence": confidence}]}
    return json.dumps({"result_index": 0, "results": [result]}, ensure_ascii=False)


BODIES: dict[str, Callable[[str, float, float, bool, float], str]] = {
    "brain_stt": _brain,
    "google": _google,
    "deepgram": _deepgram,
    "azure": _azure,
    "aws": _aws,
    "nuance": _nuance,
    "ibm": _ibm,
}
VENDOR_NAMES = {"brain_stt": "mindslab", "azure": "microsoft"}
