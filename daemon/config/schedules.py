"""What is done when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from daemon.config.values import Name, Positive


class ScheduleConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[schedule]]``: something that is done whenever the clocks say so."""

    name: Name = "ask-tgday"
    cron: str = "0 9 1 * *"
    """Minute, hour, day of the month, month and day of the week, as crontab(5) has them."""
    time_zone: str = "Asia/Seoul"
    use: str = ""
    """A built-in's name or ``package.module:name``; empty: as if it did not stand there."""
    enabled: bool = True
    catch_up: Literal["skip", "latest", "all"] = "latest"
    """What becomes of firings that nobody was there for: none, the latest, or all are made up for."""
    catch_up_within: Annotated[float, Meta(gt=0, le=2_678_400)] = 86_400.0
    """Those that are older than that are not."""
    deadline: Positive = 60.0
    options: dict[str, Any] = msgspec.field(default_factory=dict)
