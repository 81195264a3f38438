"""The state of one switch's links as one :class:`LinkStatus`, published whenever it changes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from daemon.calls.links import LinkState, LinkStatus
from daemon.hub import Hub


class Status:
    """The status of the link ``switch:<name>``. ``clock`` gives Unix seconds.

    ``last_heard`` tells when the switch was last heard of, in Unix seconds.

    The link is as well as its events are: without the command link calls are followed all the same, so that trouble
    is only told in ``detail``.
    """

    def __init__(
        self, name: str, hub: Hub, clock: Callable[[], float], *, last_heard: Callable[[], float | None]
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._last_heard = last_heard
        self._trouble = ""
        self.now = LinkStatus(link=f"switch:{name}", server=name, state=LinkState.CONNECTING, since=clock())

    def become(self, state: LinkState, detail: str = "", *, gap: float | None = None) -> None:
        """The events of the switch are in ``state``. ``gap`` is for how many seconds nothing was known of it before.

        It stands for as long as the state does: who looks later is told as well.
        """
        since = self._clock()
        if state is self.now.state:
            since, gap = self.now.since, self.now.gap
        self._publish(msgspec.structs.replace(self.now, state=state, since=since, detail=detail, gap=gap))

    def commands_are(self, trouble: str) -> None:
        """``trouble`` says why there is no command link, ``""`` that there is one."""
        if trouble != self._trouble:
            self._trouble = trouble
            if self.now.state is LinkState.READY:
                self.become(LinkState.READY)

    def refresh(self) -> None:
        """Nothing has changed but when the switch was last heard of."""
        self._publish(self.now)

    def _publish(self, status: LinkStatus) -> None:
        if status.state is LinkState.READY:
            detail = f"no commands: {self._trouble}" if self._trouble else ""
            status = msgspec.structs.replace(status, detail=detail)
        status = msgspec.structs.replace(status, last_event_at=self._last_heard())
        if status != self.now:
            self.now = status
            self._hub.publish(status)
