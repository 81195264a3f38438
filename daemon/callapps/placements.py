"""Legs that were placed for an app, by their ids, which are known before the switch is asked for them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Placement(msgspec.Struct, frozen=True):
    """What a leg is for: the app of that name, which is given ``variables``."""

    app: str
    variables: Mapping[str, str]


class Placements:
    """What is to become of legs when they are answered. Nothing of it outlives the process."""

    def __init__(self) -> None:
        self._awaited: dict[str, Placement] = {}
        self._led_before: dict[str, str] = {}
        self._joining: set[str] = set()

    def __len__(self) -> int:
        """How many an app waits for."""
        return len(self._awaited)

    def expect(self, leg_id: str, placement: Placement) -> None:
        """An app is to lead that leg when it is answered."""
        self._awaited[leg_id] = placement

    def is_awaited(self, leg_id: str) -> bool:
        """Whether an app waits for that leg."""
        return leg_id in self._awaited

    def take(self, leg_id: str) -> Placement | None:
        """What that leg is for, which is led from now on; ``None`` where nothing waits for it."""
        return self._awaited.pop(leg_id, None)

    def withdraw(self, leg_id: str) -> None:
        """Nothing waits for that leg any more."""
        self._awaited.pop(leg_id, None)
        self._led_before.pop(leg_id, None)

    def was_led(self, leg_id: str, app: str) -> None:
        """An app of an earlier process led that leg, or had sent it on."""
        self._led_before[leg_id] = app

    def led_before(self, leg_id: str) -> str:
        """The app of an earlier process that led that leg; ``""`` where none did."""
        return self._led_before.get(leg_id, "")

    def claim(self, leg_id: str) -> None:
        """That leg is rung for a caller, and looked after by whoever leads the caller."""
        self._joining.add(leg_id)

    def is_claimed(self, leg_id: str) -> bool:
        """Whether somebody looks after that leg."""
        return leg_id in self._joining

    def forget(self, leg_id: str) -> None:
        """That leg is gone for good."""
        self.withdraw(leg_id)
        self._joining.discard(leg_id)
