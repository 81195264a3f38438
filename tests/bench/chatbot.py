"""The chatbot under load: people write to the bot, 100 messages a second, all of Parley on the one side and the
simulated Webex in a process of its own on the other.

Each message is delivered to the inbox, stored, fetched, understood by the services' words, and answered. Of the delay,
which is wall time, a good part is Webex's own and that of a machine with other things to do.
"""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.programs import module, running

MESSAGES: Final = 2000
PER_SECOND: Final = 100


def p99_ms(messages: int = MESSAGES, per_second: float = PER_SECOND) -> float:
    """The 99th percentile from what is said to the answer, in ms."""
    with (
        TemporaryDirectory(prefix="parley-bench-") as folder,
        running(module("chatbot_cloud", messages, per_second)) as cloud,
        running(module("chatbot_parley", cloud.hear(), cloud.hear(), folder)) as parley,
    ):
        parley.expect("ready")
        cloud.say("write")
        return float(cloud.hear())
