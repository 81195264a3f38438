"""Korean text as people search it: syllables and their letters (jamo), initial consonants, words and grams.

Letters are compatibility jamo here (U+3131 to U+3163), as a keyboard types them. Where other scripts stand between,
they stay as they are, so that one analysis serves text in Korean and English alike.

Source: The Unicode Standard, section 3.12 (conjoining jamo behaviour) and the charts U+1100, U+3130 and U+FF00.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

INITIALS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
"""What a syllable may begin with, in the order of Unicode."""
VOWELS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS: Final = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
"""What a syllable may end with; the first is nothing."""

_FIRST: Final = 0xAC00
_LAST: Final = 0xD7A3

# The letters that take two keys, with these. A doubled consonant (ㄲ) is one key with shift.
_KEYS: Final = {
    **{"ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ"},
    **{"ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ"},
    **{"ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ"},
}
_LETTER: Final = {keys: letter for letter, keys in _KEYS.items()}

# Conjoining letters that found nothing to join, and those of half width, as the keyboard's.
_ALONE: Final = {
    **{0x1100 + at: letter for at, letter in enumerate(INITIALS)},
    **{0x1161 + at: letter for at, letter in enumerate(VOWELS)},
    **{0x11A7 + at: letter for at, letter in enumerate(FINALS) if letter},
}
_HALF_WIDTH: Final = {
    code: chr(int(unicodedata.decomposition(chr(code)).split()[1], 16))
    for code in range(0xFFA1, 0xFFDD)
    if unicodedata.decomposition(chr(code))
}
_UNSEEN: Final = re.compile("[\u00ad\u034f\u115f\u1160\u200b-\u200f\u2060\u3164\ufe00-\ufe0f\ufeff\uffa0]+")
_NO_LETTERS: Final = re.compile("[^\u3131-\u318e]+")
_WORD: Final = re.compile(r"[^\W_]+")
_CONSONANTS: Final = re.compile("[ㄱ-ㅎ]+")


def normal(text: str) -> str:
    """The one form in which two spellings of a text are the same.

    Syllables are whole however their letters came (a file name of macOS has them apart), letters alone are the
    keyboard's and stay alone, full width becomes plain, capitals become small, what nobody sees goes. Bringing a
    normal text into its normal form again changes nothing.
    """
    text = _UNSEEN.sub("", text).translate(_HALF_WIDTH)
    # NFKC would take the keyboard's letters for conjoining ones and join ㅎ and ㅏ to 하.
    text = _NO_LETTERS.sub(_compatible, text)
    return text.translate(_ALONE)


def _compatible(found: re.Match[str]) -> str:
    text = found[0]
    # Folding may leave letters and marks that combine, and combining those that fold.
    while (folded := unicodedata.normalize("NFKC", text).casefold()) != text:
        text = folded
    return text


def words(text: str) -> list[str]:
    """The runs of letters and digits of ``text`` in its normal form, in order."""
    return _WORD.findall(normal(text))


def is_syllable(character: str) -> bool:
    """Whether that is a whole syllable of Hangul."""
    return _FIRST <= ord(character) <= _LAST


def is_initials(text: str) -> bool:
    """Whether ``text``, which is in its normal form, is consonants alone: 홍길동 as ㅎㄱㄷ."""
    return _CONSONANTS.fullmatch(text) is not None


def has_consonants(text: str) -> bool:
    """Whether a consonant stands alone in ``text``, which is in its normal form: 홍ㄱㄷ."""
    return _CONSONANTS.search(text) is not None


def jamo(text: str) -> str:
    """``text``, which is in its normal form, as the keys that type it: 과일 → ㄱㅗㅏㅇㅣㄹ.

    A slip of a finger is one key here and a whole syllable there.
    """
    return text.translate(_JAMO)


def syllables(keys: str) -> str:
    """What typing ``keys`` gives: ㄱㅗㅏㅇㅣㄹ → 과일. What makes no syllable stays as it is.

    The inverse of :func:`jamo` for text without letters alone.
    """
    text: list[str] = []
    for key in keys:
        last = text.pop() if text else ""
        text += _typed(last, key)
    return "".join(text)


def initials(text: str) -> str:
    """The initial consonants of ``text``, which is in its normal form: 홍길동 → ㅎㄱㄷ, IT지원 → itㅈㅇ.

    Two consonants that a keyboard drew together (ㄳ for ㄱㅅ) are apart again.
    """
    return text.translate(_INITIALS)


def pairs(word: str) -> list[str]:
    """The pairs of neighbours in a word, in order: 방어막 → 방어, 어막."""
    return [word[at : at + 2] for at in range(len(word) - 1)]


def grams(text: str) -> list[str]:
    """What an index of ``text`` holds, so that any part of any of its words is found by :func:`grams_within`.

    Of each word first its pairs of characters in order, so that those of a part stand side by side, then its single
    characters: 해지 방어 → 해지, 해, 지, 방어, 방, 어.
    """
    return [gram for word in words(text) for gram in (*pairs(word), *word)]


def grams_within(text: str) -> list[str]:
    """The grams that an index must hold of whatever has ``text`` in it, each word's side by side.

    A word of one character is that itself. Grams find too much (해방 and 방지 hold what 해방지 holds): who must know
    looks at the text then.
    """
    return [gram for word in words(text) for gram in (pairs(word) or [word])]


def _parts(syllable: str) -> tuple[str, str, str]:
    """Initial, vowel and final, which may be ``""``."""
    at = ord(syllable) - _FIRST
    return INITIALS[at // 588], VOWELS[at // 28 % 21], FINALS[at % 28]


def _joined(initial: str, vowel: str, final: str) -> str:
    return chr(_FIRST + (INITIALS.index(initial) * 21 + VOWELS.index(vowel)) * 28 + FINALS.index(final))


def _typed(last: str, key: str) -> Iterator[str]:
    """What stands at the end of a text when ``key`` comes behind ``last``, a character or nothing."""
    if not last:
        yield key
    elif not is_syllable(last):
        yield from [_joined(last, key, "")] if last in INITIALS and key in VOWELS else (last, key)
    else:
        yield from _typed_behind(*_parts(last), key)


def _typed_behind(initial: str, vowel: str, final: str, key: str) -> Iterator[str]:
    """The same where the last character is a syllable of these parts."""
    if not final and (two := _LETTER.get(vowel + key, "")) in VOWELS and two:
        yield _joined(initial, two, "")
    elif key in FINALS and (not final or final + key in _LETTER):
        yield _joined(initial, vowel, _LETTER[final + key] if final else key)
    elif key in VOWELS and final:
        # A vowel takes the consonant before it away from the syllable that it ended.
        keys = _KEYS.get(final, final)
        yield _joined(initial, vowel, keys[:-1])
        yield _joined(keys[-1], key, "")
    else:
        yield _joined(initial, vowel, final)
        yield key


class _Table(dict[int, str]):
    """A table for ``str.translate`` that makes the entry of a syllable when it is first met."""

    def __init__(self, *, whole: bool) -> None:
        super().__init__({ord(letter): keys for letter, keys in _KEYS.items()})
        self._whole = whole

    def __missing__(self, code: int) -> str:
        if not _FIRST <= code <= _LAST:
            raise KeyError(code)
        initial, vowel, final = _parts(chr(code))
        keys = initial + _KEYS.get(vowel, vowel) + _KEYS.get(final, final) if self._whole else initial
        self[code] = keys
        return keys


_JAMO: Final = _Table(whole=True)
_INITIALS: Final = _Table(whole=False)
