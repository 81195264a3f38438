"""Events that come twice.

FreeSWITCH can send one event to us twice (``fire_asr_events`` on a parked channel does). A double has the same
``Core-UUID`` and ``Event-Sequence``; equal text under another sequence is another event. The sequence is neither
gapless nor monotonic on the wire, so it says which event this is and nothing about its order.
"""

from __future__ import annotations


class Doubles:
    """Remembers which events were seen, in bounded memory and a few instructions per event.

    ``remember`` is rounded up to a power of two. A double is known as one as long as it comes within ``remember``
    sequence numbers of the first.
    """

    def __init__(self, remember: int = 8192) -> None:
        self.dropped = 0
        self._mask = (1 << max(remember - 1, 1).bit_length()) - 1
        self._core = ""
        self._seen = [0] * (self._mask + 1)

    def seen(self, core_uuid: str, sequence: int) -> bool:
        """Whether this event was here before; from now on it was. An event without a sequence (0) never was."""
        if core_uuid != self._core:
            self._core = core_uuid
            self._seen = [0] * (self._mask + 1)
        # One place for each remainder: the newest sequence takes it, and the one it displaces is long past.
        place = sequence & self._mask
        if self._seen[place] == sequence and sequence:
            self.dropped += 1
            return True
        self._seen[place] = sequence
        return False
