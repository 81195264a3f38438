"""Passwords are hashed with parameters that are worth something, and without stalling the loop."""

from __future__ import annotations

import asyncio

from argon2 import extract_parameters, profiles

from daemon.accounts.passwords import DEFAULT_HASHER, Passwords


async def test_the_default_parameters_are_recommended_ones() -> None:
    parameters = extract_parameters(await Passwords().hash("a long enough password"))
    recommended = profiles.RFC_9106_LOW_MEMORY
    assert (parameters.type, parameters.time_cost, parameters.memory_cost, parameters.hash_len) == (
        recommended.type,
        recommended.time_cost,
        recommended.memory_cost,
        recommended.hash_len,
    )
    assert parameters.parallelism == DEFAULT_HASHER.parallelism == 1


async def test_the_loop_turns_while_a_password_is_verified() -> None:
    passwords = Passwords()
    hashed = await passwords.hash("a long enough password")
    turns = 0
    verifying = asyncio.create_task(passwords.verify(hashed, "a long enough password"))
    while not verifying.done():
        await asyncio.sleep(0)
        turns += 1
    assert verifying.result()
    # A hash takes many milliseconds, a turn of an idle loop microseconds.
    assert turns > 100


async def test_nobodys_password_is_verified_against_a_real_hash_and_never_right() -> None:
    passwords = Passwords()
    assert not await passwords.verify(None, "a long enough password")
    assert extract_parameters(passwords._nobody) == extract_parameters(await passwords.hash("another"))
    assert not await passwords.verify("not a hash", "a long enough password")
