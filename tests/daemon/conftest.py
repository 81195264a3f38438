"""What tests of the process share."""

from __future__ import annotations

import pytest

from tests.daemon.calls.story import Story


@pytest.fixture
def story() -> Story:
    return Story()
