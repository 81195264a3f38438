"""Requests that wait: each ends exactly once, however late the loop is."""

from __future__ import annotations

import pytest
import uvloop

from daemon.pbx.contract import PbxTimeout
from daemon.pbx.requests import Request, Requests


def test_a_request_whose_time_is_over_at_once_is_late_like_any_other() -> None:
    async def ask() -> None:
        requests = Requests(lambda: PbxTimeout("too late"))
        waiting = [Request() for _ in range(3)]
        for number, request in enumerate(waiting):
            requests.add(f"id-{number}", request, -float(number))
        for request in waiting:
            with pytest.raises(PbxTimeout):
                await request.answer
        assert len(requests) == 0
        assert requests.timed_out == len(waiting)

    uvloop.run(ask())
