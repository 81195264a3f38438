"""Which app a call is for."""

from __future__ import annotations

import pytest

from daemon.callapps.routing import Routes
from daemon.config import CallAppConfig

APPS = (
    CallAppConfig(name="flowers", codes=["flower-app"], dids=["07000001001"]),
    CallAppConfig(name="parcels", codes=["parcel-app"], did_patterns=[r"0700000\d{4}", ".*9"]),
    CallAppConfig(name="night", did_patterns=[r"0700000900\d"]),
)


@pytest.mark.parametrize(
    ("code", "did", "name"),
    [
        ("flower-app", "07000002222", "flowers"),
        ("parcel-app", "07000001001", "parcels"),
        ("of-nobody", "07000001001", "flowers"),
        ("", "07000001001", "flowers"),
        ("", "07000001002", "parcels"),
        ("", "07000009001", "parcels"),
        ("", "029", "parcels"),
        ("", "0700000100", ""),
        ("", "070000010011", ""),
        ("Flower-App", "", ""),
        ("", "", ""),
    ],
)
def test_code_then_number_then_pattern(code: str, did: str, name: str) -> None:
    assert Routes(APPS).app_of(code, did) == name
    assert Routes(APPS, "night").app_of(code, did) == (name or "night")


def test_a_code_alone() -> None:
    assert Routes(APPS, "night").app_of_code("flower-app") == "flowers"
    assert Routes(APPS, "night").app_of_code("") == ""
