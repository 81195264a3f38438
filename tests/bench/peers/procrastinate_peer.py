"""The PyPI package ``procrastinate`` working: an asynchronous task that does nothing, deferred and then worked off.

    python procrastinate_peer.py DATABASE_URL JOBS

Prints the jobs worked per second, from the start of its worker to its end with nothing left to do.
"""

import asyncio
import sys
import time

from procrastinate import App, PsycopgConnector  # type: ignore[import-not-found]

# The fastest of those that were tried, from 1 to 100, on as many connections as its connector opens by itself.
_CONCURRENCY = 20
_AT_ONCE = 1000


async def measure(url: str, jobs: int) -> float:
    """Jobs worked per second."""
    connector = PsycopgConnector(conninfo=url)
    app = App(connector=connector)

    @app.task(name="nothing")  # type: ignore[untyped-decorator]
    async def nothing(delivery_id: str) -> None:
        return None

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for first in range(0, jobs, _AT_ONCE):
            ids = [{"delivery_id": str(number)} for number in range(first, min(jobs, first + _AT_ONCE))]
            await nothing.batch_defer_async(*ids)
        began = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=_CONCURRENCY, install_signal_handlers=False)
        spent = time.perf_counter() - began
        left = [job for job in await app.job_manager.list_jobs_async() if job.status != "succeeded"]
    if left:
        raise AssertionError(f"{len(left)} jobs were not worked")
    return jobs / spent


if __name__ == "__main__":
    # An App that is made in the main module is none of those the library recommends, and it says so.
    from procrastinate_peer import measure as measure_there  # type: ignore[import-not-found]

    print(asyncio.run(measure_there(sys.argv[1], int(sys.argv[2]))), flush=True)
