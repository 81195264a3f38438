"""What a dialplan application says to a leg: the words of a prompt, or the name of the file it plays.

Source: ``mod_dptools.c`` (``speak``, ``playback``, ``play_and_get_digits``), ``switch_utils.c`` (how arguments are
separated), ``switch_ivr_play_say.c`` (what a file's name can be).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

SPEAK = "speak"
PLAYBACK = "playback"

Spoken = tuple[str, str]
"""The text, and :data:`SPEAK` or :data:`PLAYBACK`."""

_SILENT = ("tone_stream://", "silence_stream://", "local_stream://")
_FILE_OF_DIGITS = 5
"""``play_and_get_digits <min> <max> <tries> <timeout> <terminators> <file> …``."""


def spoken(application: str, data: str) -> Spoken | None:
    """What ``application`` with the argument ``data`` says; ``None`` where it says nothing.

    Tones, silence and music on hold are nothing said. Of a file only its base name is taken: folders and the query of
    a URL can hold what is nobody's business.
    """
    read = _READERS.get(application)
    return read(data) if read is not None and data else None


def _speak(data: str) -> Spoken | None:
    """``text``, ``voice|text`` or ``engine|voice|text``; a bar within the text belongs to it."""
    text = data.split("|", 2)[-1].strip()
    return (text, SPEAK) if text else None


def _playback(path: str) -> Spoken | None:
    path = _without_parameters(path.strip())
    if path.startswith(_SILENT):
        return None
    if path.startswith("say:"):
        # say:engine:voice:text, or say:text with the channel's own engine and voice.
        parts = path[4:].split(":", 2)
        text = (parts[2] if len(parts) == 3 else path[4:]).strip()
        return (text, SPEAK) if text else None
    if path.startswith("file_string://"):
        names = [_base_name(part) for part in path[len("file_string://") :].split("!")]
        names = [name for name in names if name]
        return (", ".join(names), PLAYBACK) if names else None
    name = _base_name(path)
    return (name, PLAYBACK) if name else None


def _play_and_get_digits(data: str) -> Spoken | None:
    arguments = separated(data)
    return _playback(arguments[_FILE_OF_DIGITS]) if len(arguments) > _FILE_OF_DIGITS else None


_READERS: Mapping[str, Callable[[str], Spoken | None]] = {
    "speak": _speak,
    "playback": _playback,
    "play_and_get_digits": _play_and_get_digits,
}


def _without_parameters(path: str) -> str:
    """``path`` without the ``{name=value,…}`` that may stand before it."""
    while path.startswith("{"):
        _, closing, rest = path.partition("}")
        if not closing:
            break
        path = rest.lstrip()
    return path


def _base_name(path: str) -> str:
    path = _without_parameters(path)
    if "://" in path:
        path = path.partition("?")[0]
    path = path.partition("@@")[0]  # name@@offset: where to begin
    return path.rstrip("/").rpartition("/")[2]


def separated(data: str) -> list[str]:
    """``data`` cut at blanks as the switch does it: ``'…'`` may hold blanks, a backslash takes what follows literally.

    ``^^:a:b`` changes the separator to the character that follows ``^^``.
    """
    separator = " "
    if data.startswith("^^") and len(data) > 2:
        separator, data = data[2], data[3:]
    arguments: list[str] = []
    argument: list[str] = []
    quoted = False
    characters = iter(data)
    for character in characters:
        if character == "\\":
            argument.append(next(characters, ""))
        elif character == "'":
            quoted = not quoted
        elif character == separator and not quoted:
            # Several blanks in a row separate once; another separator may leave an argument empty.
            if argument or separator != " ":
                arguments.append("".join(argument))
                argument = []
        else:
            argument.append(character)
    if argument or separator != " ":
        arguments.append("".join(argument))
    return arguments
