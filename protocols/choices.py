"""Which of a few choices a caller's words mean, in Korean above all.

An answer is *exact* when it holds the word of one choice, with whatever particles, spaces, punctuation and letter case
around and in it. It is *ambiguous* when it holds the words of several, or when what it holds is turned down on the
spot (``착불은 아니고요``): nothing is chosen then, because a wrong choice costs more than a question. A word that
stands within a longer one does not count for itself: ``선불카드`` is not ``선불`` where both are choices.

A short answer that recognition slurred is guessed by the *initial* consonant of its first syllable, where all choices
go on with the same initials: ``참불`` is 착불 and not 선불. A guess has to be confirmed by the caller.

Only words count, not what they mean: ``예`` is no ``네``. Source: the published contract of voice relay v1; where it is
silent (what is turned down, longer words, how far a slurred answer may stray) the narrower reading is taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from protocols.errors import LocalError
from protocols.hangul import initials, is_syllable

FEWEST, MOST = 2, 6
"""How many choices a question may have."""
LONGEST = 20
"""Characters of a choice, composed (NFC)."""


class ChoiceSource(StrEnum):
    """How a choice was found. ``INITIAL`` is a guess that the caller has to confirm."""

    EXACT = "exact"
    INITIAL = "initial"


class Understood(msgspec.Struct, frozen=True, gc=False):
    """What an answer means: the choice at ``index`` (from 0), or none. ``ambiguous`` says that it named several."""

    index: int | None = None
    source: ChoiceSource | None = None
    ambiguous: bool = False

    @property
    def confirm(self) -> bool:
        """Whether the caller must be asked if that was meant."""
        return self.source is ChoiceSource.INITIAL


_NOTHING = Understood()
_AMBIGUOUS = Understood(ambiguous=True)

_WORD = re.compile(r"[^\W_]+")
_NEGATION = re.compile(r"말고|아니|아닌|아닙|아녜|아녀|빼고|싫|안(?:할|해|하|되|돼|됩)")
_PARTICLES = re.compile(r"이?요|으?로|[은는이가도을를]")
_ENDING = re.compile(
    r"(?:으?로|[은는이가도을를])?"
    r"(?:이?[요여]|이?에요|예요|입니다|이?야|인데요|같아요|"
    r"좀?(?:할[게께래]요?|하겠습니다|해요|해줘요?|해주세요|해주십시오|주세요|부탁(?:해|드려)요|부탁드립니다))?"
)
"""What may follow a noun that is the whole of an answer."""
_MURMURS = frozenset("음어아그저예네응")
"""Syllables that callers say while they think, or to show that they listen."""

_LIKE_INITIALS = {
    initial: group for group in ("ㄱㄲㅋ", "ㄷㄸㅌ", "ㅂㅃㅍㅁ", "ㅅㅆ", "ㅈㅉㅊ", "ㅇㅎ") for initial in group
}
"""Initials that a telephone line makes one of; ㄴ and ㄹ are like themselves only."""


class Choices:
    """The choices of one question.

    Raises ``LocalError``, whose text says what is wrong and what is allowed, unless they are 2 to 6 of 1 to 20
    characters, with a letter or digit in each, that can be told apart by ear: spaces, punctuation and letter case
    cannot.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        if not FEWEST <= len(self.words) <= MOST:
            raise LocalError(f"there are {len(self.words)} choices; {FEWEST} to {MOST} are allowed")
        self._keys = ["".join(_words(word)) for word in self.words]
        first: dict[str, int] = {}
        for number, (word, key) in enumerate(zip(self.words, self._keys, strict=True), 1):
            length = len(unicodedata.normalize("NFC", word))
            if not 1 <= length <= LONGEST:
                raise LocalError(f"choice {number} has {length} characters; 1 to {LONGEST} are allowed")
            if not key:
                raise LocalError(f"choice {number} has no letter or digit that could be said")
            if first.setdefault(key, number) != number:
                raise LocalError(f"choices {first[key]} and {number} sound the same; they must be distinct")
        self._by_initial = _by_initial(self._keys)

    def understand(self, text: str) -> Understood:
        """What the caller's words mean. Any text will do."""
        words = _words(text)
        found = self._found(_Utterance(words))
        if found is not None:
            return found
        return self._guess(words)

    def press(self, digits: str) -> Understood:
        """What pressed digits mean: the number of the choice, counted from 1.

        Where choices have digits in them (``3시``, ``5시``) the pressed ones mean those instead.
        """
        numbers = ["".join(char for char in key if char.isdecimal()) for key in self._keys]
        if not any(numbers):
            numbers = [str(number) for number in range(1, len(self.words) + 1)]
        meant = [index for index, number in enumerate(numbers) if number and number == digits]
        return _one_of(meant, ChoiceSource.EXACT)

    def _found(self, utterance: _Utterance) -> Understood | None:
        """What stands in ``utterance`` in so many words; ``None`` for nothing."""
        spans = [(*span, index) for index, key in enumerate(self._keys) for span in utterance.spans(key)]
        spans = [span for span in spans if not any(_within(span, other) for other in spans)]
        if not spans:
            return None
        understood = _one_of(sorted({index for *_, index in spans}), ChoiceSource.EXACT)
        if understood.index is not None and not _NEGATION.match(self._keys[understood.index]):
            starts = {start for start, *_ in spans}
            if any(utterance.is_turned_down(end, starts) for _, end, _ in spans):
                return _AMBIGUOUS
        return understood

    def _guess(self, words: list[str]) -> Understood:
        while words and words[0].removesuffix("요") in _MURMURS:
            words = words[1:]
        said = "".join(words)
        for initial, (index, key) in self._by_initial.items():
            if said and _initial(said[0]) == initial and _may_be(said, key):
                return Understood(index, ChoiceSource.INITIAL)
        return _NOTHING


class _Utterance:
    """The words of an answer without the spaces between them, which recognition sets as it likes."""

    def __init__(self, words: Sequence[str]) -> None:
        self._text = "".join(words)
        self._starts: set[int] = set()
        at = 0
        for word in words:
            self._starts.add(at)
            at += len(word)

    def spans(self, key: str) -> list[tuple[int, int]]:
        """Where ``key`` stands: within a word, or from the start of one on across spaces. One character only counts
        at the start of a word, and Latin letters and digits not within a run of them."""
        spans = []
        start = self._text.find(key)
        while start >= 0:
            end = start + len(key)
            if not (self._cuts_run(start) or self._cuts_run(end)) and (
                start in self._starts or (len(key) > 1 and self._starts.isdisjoint(range(start + 1, end)))
            ):
                spans.append((start, end))
            start = self._text.find(key, start + 1)
        return spans

    def is_turned_down(self, end: int, starts: set[int]) -> bool:
        """Whether what follows ``end`` says no to it, and is not itself a choice, of which ``starts`` are."""
        particle = _PARTICLES.match(self._text, end)
        at = end if particle is None else particle.end()
        return at not in starts and _NEGATION.match(self._text, at) is not None

    def _cuts_run(self, at: int) -> bool:
        if at in self._starts or not 0 < at < len(self._text):
            return False
        return _runs(self._text[at - 1]) and _runs(self._text[at])


def _words(text: str) -> list[str]:
    """The words of ``text`` as they are compared: composed, in one letter case, and spelt as they are spoken."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # Said alike and written either way.
    return _WORD.findall(folded.replace("아니오", "아니요"))


def _one_of(meant: Sequence[int], source: ChoiceSource) -> Understood:
    if len(meant) > 1:
        return _AMBIGUOUS
    return Understood(meant[0], source) if meant else _NOTHING


def _within(span: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    """Whether ``span`` is a part of the longer ``other``."""
    return other[0] <= span[0] and span[1] <= other[1] and other[1] - other[0] > span[1] - span[0]


def _runs(char: str) -> bool:
    """Whether ``char`` is of a script whose words are not followed by particles: cased letters, and digits."""
    return char.isdecimal() or char.upper() != char


def _by_initial(keys: Sequence[str]) -> dict[str, tuple[int, str]]:
    """The choices that an initial consonant can tell apart, with their indices; none unless all go on alike."""
    if not all(len(key) > 1 and all(map(_initial, key)) for key in keys):
        return {}
    if len({tuple(map(_initial, key[1:])) for key in keys}) > 1:
        return {}
    heads = [_initial(key[0]) for key in keys]
    return {head: (index, keys[index]) for index, head in enumerate(heads) if heads.count(head) == 1}


def _may_be(said: str, key: str) -> bool:
    """Whether ``said``, which begins like ``key``, is no more than ``key`` slurred: as many syllables that go on with
    like initials, or its first alone, and then an ending."""
    whole = len(said) >= len(key) and all(map(_alike, said[1:], key[1:]))
    if whole and _ENDING.fullmatch(said, len(key)):
        return True
    return said[0] not in _MURMURS and _ENDING.fullmatch(said, 1) is not None


def _alike(said: str, syllable: str) -> bool:
    one, other = _initial(said), _initial(syllable)
    return one == other or (one in _LIKE_INITIALS and _LIKE_INITIALS[one] == _LIKE_INITIALS.get(other))


def _initial(char: str) -> str:
    """The initial consonant of a syllable, ``""`` for any other character."""
    return initials(char) if is_syllable(char) else ""
