"""What the PBX benchmark broadcasts."""

from __future__ import annotations

from protocols.dcmiws.frames import FrameType
from protocols.dcmiws.glance import glance
from tests.bench.pbx_stand_in import NOBODYS, nobodys_frames


def test_they_are_recorded_events_of_every_such_kind() -> None:
    seen = [glance(frame.encode())[0] for frame in nobodys_frames()]
    assert {one.data.event for one in seen} == NOBODYS
    assert {one.type for one in seen} == {FrameType.EVENT}
    assert len(seen) > 500
