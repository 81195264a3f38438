"""The applications a dialplan or a command can run on a channel of the simulated switch."""

from __future__ import annotations

from daemon.demo.event import Headers
from daemon.demo.thread import NO_RESPONSE, Application, Thread

SOUND_SECONDS = 2.0
"""How long a recorded prompt plays, there being no sound files."""
SYLLABLE_SECONDS = 0.13
"""How long a synthesised syllable takes."""
PLAYED = "FILE PLAYED"


def speaking_time(text: str) -> float:
    """Seconds that an engine needs to say ``text``."""
    return max(0.5, len(text) * SYLLABLE_SECONDS)


async def answer(thread: Thread, data: str) -> str:
    """Answer the call."""
    thread.channel.answer()
    return NO_RESPONSE


async def pre_answer(thread: Thread, data: str) -> str:
    """Open early media."""
    thread.channel.pre_answer()
    return NO_RESPONSE


async def playback(thread: Thread, data: str) -> str:
    """Play a sound file. ``silence_stream://MS`` lasts what it says, a tone or music on hold until it is broken off."""
    seconds = SOUND_SECONDS
    if data.startswith("silence_stream://"):
        seconds = int(data.removeprefix("silence_stream://").split(",")[0]) / 1000
    elif data.startswith(("tone_stream://", "local_stream://")):
        seconds = 86_400.0
    await play_file(thread, data, thread.lasting(seconds))
    return PLAYED


async def play_file(thread: Thread, path: str, seconds: float) -> None:
    """Play for ``seconds`` or until cut short: PLAYBACK_START, PLAYBACK_STOP and the variables of how far it came."""
    channel = thread.channel
    kind = path.split("://", maxsplit=1)[0] if "://" in path else ""
    file: Headers = [("Playback-File-Type", kind), ("Playback-File-Path", path)]
    channel.pre_answer()
    channel.fire("PLAYBACK_START", file)
    started = channel.core.clock()
    broken = await thread.pause(seconds)
    samples = round((channel.core.clock() - started if broken else seconds) * 8000)
    counted = {"last_offset_pos": samples, "seconds": samples // 8000, "ms": samples // 8, "samples": samples}
    channel.variables.put({f"playback_{name}": str(count) for name, count in counted.items()})
    status = "break" if broken and channel.alive else "done"
    channel.fire("PLAYBACK_STOP", [*file, ("Playback-Status", status)])


async def speak(thread: Thread, data: str) -> str:
    """Synthesise ``engine|voice|text``."""
    thread.channel.pre_answer()
    await thread.pause(thread.lasting(speaking_time(data.rsplit("|", 1)[-1])))
    return NO_RESPONSE


async def play_and_get_digits(thread: Thread, data: str) -> str:
    """``min max tries timeout terminators file …``: play the file, then wait for nobody's digits."""
    words = data.split()
    await play_file(thread, words[5] if len(words) > 5 else data, SOUND_SECONDS)
    return NO_RESPONSE


async def sleep(thread: Thread, data: str) -> str:
    """Wait for so many milliseconds."""
    await thread.pause(int(data or 0) / 1000)
    return NO_RESPONSE


async def set_variable(thread: Thread, data: str) -> str:
    """``name=value``: set a channel variable; without a value, unset it."""
    name, _, value = data.partition("=")
    if value and value != "_undef_":
        thread.channel.variables[name] = value
    else:
        thread.channel.variables.drop(name)
    return NO_RESPONSE


async def set_profile_var(thread: Thread, data: str) -> str:
    """``name=value`` into the caller profile, where ``code`` lives."""
    name, _, value = data.partition("=")
    if name == "code":
        thread.channel.profile.code = value
    return NO_RESPONSE


async def hangup(thread: Thread, data: str) -> str:
    """End the call with a cause."""
    thread.hang_up(data or "NORMAL_CLEARING")
    return NO_RESPONSE


async def record_session(thread: Thread, data: str) -> str:
    """Record both sides into a file until the call ends."""
    thread.channel.fire("RECORD_START", [("Record-File-Path", data)])
    thread.channel.variables["record_session_path"] = data
    return NO_RESPONSE


async def stop_record_session(thread: Thread, data: str) -> str:
    """End a recording."""
    if thread.channel.variables.pop("record_session_path", None) is not None:
        thread.channel.fire("RECORD_STOP", [("Record-File-Path", data)])
    return NO_RESPONSE


async def nothing(thread: Thread, data: str) -> str:
    """An application whose effect cannot be heard here."""
    return NO_RESPONSE


async def endless(thread: Thread, data: str) -> str:
    """An application that never completes by itself."""
    await thread.pause(86_400.0)
    return NO_RESPONSE


APPLICATIONS: dict[str, Application] = {
    "answer": answer,
    "break": nothing,
    "echo": endless,
    "export": set_variable,
    "gentones": playback,
    "hangup": hangup,
    "info": nothing,
    "log": nothing,
    "play_and_get_digits": play_and_get_digits,
    "playback": playback,
    "pre_answer": pre_answer,
    "queue_dtmf": nothing,
    "record_session": record_session,
    "send_dtmf": nothing,
    "set": set_variable,
    "set_profile_var": set_profile_var,
    "sleep": sleep,
    "speak": speak,
    "stop_record_session": stop_record_session,
    "unset": set_variable,
}
"""Those that can be queued. ``park`` and ``bridge`` stand, so the exchange runs them."""
