"""Accounts on both engines, with a clock that stands still and passwords that hash in no time."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from daemon.accounts.accounts import Accounts
from daemon.accounts.passwords import Passwords
from daemon.config import WebConfig
from daemon.stores.database import Database


class Clock:
    """Unix seconds that move only when told."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    return Accounts(database, WebConfig(), clock=clock, passwords=Passwords(CHEAP))
