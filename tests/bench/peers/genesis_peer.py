"""The PyPI package ``genesis`` reading the stand-in's events its own full way: a ``Consumer`` with one handler.

Runs in the peers' environment, on the loop that the package recommends. It reads plain events only.
"""

import asyncio
import sys
import time

from genesis import Consumer, use_uvloop  # type: ignore[import-not-found]

_SETTLED = 0.5


async def measure(port: int, password: str, events: int) -> float:
    """The CPU seconds between the subscription and the last call of the handler."""
    consumer = Consumer("127.0.0.1", port, password)
    done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    heard = 0

    @consumer.handle("brain_stt::transcription")  # type: ignore[untyped-decorator]
    async def handler(event: object) -> None:
        nonlocal heard
        heard += 1
        if heard == events:
            done.set_result(time.process_time())

    consuming = asyncio.create_task(consumer.start())
    # The package does not say when its commands are answered; they are a handful.
    await asyncio.sleep(_SETTLED)
    spent = time.process_time()
    print("ready", flush=True)
    spent = await done - spent
    consuming.cancel()
    return spent


if __name__ == "__main__":
    use_uvloop()
    print(asyncio.run(measure(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))), flush=True)
