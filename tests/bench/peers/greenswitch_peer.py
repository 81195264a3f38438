"""The PyPI package ``greenswitch`` reading the stand-in's events its own full way: ``InboundESL`` with one handler.

Runs in the peers' environment. It reads plain events only.
"""

import sys
import time

from gevent.event import AsyncResult  # type: ignore[import-untyped]
from greenswitch import InboundESL  # type: ignore[import-not-found]


def measure(port: int, password: str, events: int) -> float:
    """The CPU seconds between the subscription and the last call of the handler."""
    switch = InboundESL("127.0.0.1", port, password)
    done = AsyncResult()
    heard = 0

    def handler(event: object) -> None:
        nonlocal heard
        heard += 1
        if heard == events:
            done.set(time.process_time())

    switch.register_handle("brain_stt::transcription", handler)
    switch.connect()
    switch.send("event plain CUSTOM brain_stt::transcription")
    spent = time.process_time()
    print("ready", flush=True)
    return float(done.get()) - spent


if __name__ == "__main__":
    print(measure(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])), flush=True)
