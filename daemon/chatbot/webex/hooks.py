"""Our webhooks at Webex, kept as they should be: one of what is written to the bot, one of what is done with its cards.

Ours are those of our name. What is missing is made, what drifted is mended (a webhook that Webex turned off after
failures is turned on again), doubles go; webhooks of another name are never touched. Several Parleys that do so at the
same time come to the same end: of doubles all keep the oldest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

import msgspec
import structlog

from daemon.chatbot.contract import Memory
from daemon.chatbot.webex.api import WebexApi, WebexRefusedError
from protocols.webex.objects import WebexHook

log = structlog.get_logger(__name__)

HOOK_INFO: Final = "hookinfo"
"""Where what was found and done last is remembered, as JSON of :class:`HookInfo`."""
RESOURCES: Final = ("messages", "attachmentActions")

_EVENT: Final = "created"
_PASSES: Final = 4


class KnownHook(msgspec.Struct, frozen=True):
    """One of ours; ``secret_hash`` is SHA-256 of its secret."""

    id: str
    resource: str
    target_url: str
    secret_hash: str


class HookInfo(msgspec.Struct, frozen=True):
    """Our webhooks as they are now, and what was done for that at ``checked_at`` (Unix seconds)."""

    checked_at: float
    hooks: list[KnownHook] = []
    changes: list[str] = []


class HooksUnsettledError(Exception):
    """Somebody else keeps changing our webhooks."""


class Hooks:
    """Those called ``name``, which deliver to ``target_url`` with ``secret``. ``clock`` gives Unix seconds."""

    def __init__(
        self, api: WebexApi, memory: Memory, *, name: str, target_url: str, secret: str, clock: Callable[[], float]
    ) -> None:
        self._api = api
        self._memory = memory
        self._clock = clock
        self._wanted = {"name": name, "targetUrl": target_url, "secret": secret, "status": "active"}
        self._secret_hash = _hash(secret)

    async def reconcile(self) -> WebexHook:
        """Make it so; returns the webhook of what is written.

        Raises what :class:`WebexApi` raises, ``MemoryAwayError`` and :class:`HooksUnsettledError`.
        """
        before = await self._before()
        known = {hook.id: hook for hook in before.hooks}
        changes: list[str] = []
        for _ in range(_PASSES):
            ours = [hook for hook in await self._api.hooks() if hook.name == self._wanted["name"]]
            done = await self._settle(ours, known)
            if not done:
                break
            # Looked at once more: another Parley may have made the same at the same time.
            changes += done
        else:
            raise HooksUnsettledError("our webhooks at Webex do not stay as they are made")
        if changes:
            log.info("webex_hooks_mended", changes=changes)
        kept = [self._known(hook) for hook in ours if hook.resource in RESOURCES and hook.event == _EVENT]
        info = HookInfo(self._clock(), kept, changes)
        await self._memory.set(HOOK_INFO, msgspec.json.encode(info))
        return next(hook for hook in ours if hook.resource == RESOURCES[0] and hook.event == _EVENT)

    async def _before(self) -> HookInfo:
        remembered = await self._memory.get(HOOK_INFO)
        try:
            return HookInfo(0.0) if remembered is None else msgspec.json.decode(remembered, type=HookInfo)
        except msgspec.DecodeError:
            return HookInfo(0.0)

    async def _settle(self, ours: Sequence[WebexHook], known: dict[str, KnownHook]) -> list[str]:
        """One pass; what was done, in words, nothing where all is as it should be."""
        done = []
        shows_secrets = any(hook.secret for hook in ours)
        for resource in RESOURCES:
            same = sorted(
                (hook for hook in ours if (hook.resource, hook.event) == (resource, _EVENT)),
                # What has a filter does not tell everything, and no change takes that away.
                key=lambda hook: (bool(hook.filter), hook.created, hook.id),
            )
            first, surplus = (same[0], same[1:]) if same and not same[0].filter else (None, same)
            if first is None:
                hook = await self._api.add_hook(self._wanted | {"resource": resource, "event": _EVENT})
                known[hook.id] = self._known(hook)
                done.append(f"{resource}: made")
            elif drift := self._drift(first, None if shows_secrets else known.get(first.id)):
                await self._change(first, known)
                done.append(f"{resource}: {drift}")
            for hook in surplus:
                await self._delete(hook)
                done.append(f"{resource}: a double deleted")
        for hook in ours:
            # It delivers to the same place what the others deliver already, or what nobody asked for.
            is_wanted = hook.resource in RESOURCES and hook.event == _EVENT
            if not is_wanted and hook.target_url == self._wanted["targetUrl"]:
                await self._delete(hook)
                done.append(f"{hook.resource}: deleted")
        return done

    def _drift(self, hook: WebexHook, known: KnownHook | None) -> str:
        """What is wrong with it, ``""`` for nothing. Where no secret is shown, that which we set is there."""
        if hook.status != "active":
            return "turned on again"
        if hook.target_url != self._wanted["targetUrl"]:
            return "its address mended"
        if hook.secret is not None:
            is_right = _hash(hook.secret) == self._secret_hash
        else:
            is_right = known is not None and known.secret_hash == self._secret_hash
        return "" if is_right else "its secret mended"

    async def _change(self, hook: WebexHook, known: dict[str, KnownHook]) -> None:
        try:
            await self._api.change_hook(hook.id, self._wanted)
        except WebexRefusedError as error:
            if not error.is_missing:
                raise
        known[hook.id] = self._known(hook)

    async def _delete(self, hook: WebexHook) -> None:
        try:
            await self._api.delete_hook(hook.id)
        except WebexRefusedError as error:
            if not error.is_missing:
                raise

    def _known(self, hook: WebexHook) -> KnownHook:
        return KnownHook(hook.id, hook.resource, self._wanted["targetUrl"], self._secret_hash)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
