"""FastAPI as people deploy it: a webhook that is kept in memory, on uvicorn with its fast parts and no access log.

    python fastapi_peer.py PORT

``/memory`` takes the body as the ``dict`` that FastAPI makes of it, ``/raw`` takes its bytes.
"""

import sys
from typing import Any

import uvicorn  # type: ignore[import-not-found]
from fastapi import FastAPI, Request  # type: ignore[import-not-found]

app = FastAPI()
deliveries: list[object] = []


@app.post("/memory", status_code=202)  # type: ignore[untyped-decorator]
async def take(payload: dict[str, Any]) -> dict[str, str]:
    """One more."""
    deliveries.append(payload)
    return {"message": "accepted"}


@app.post("/raw", status_code=202)  # type: ignore[untyped-decorator]
async def take_raw(request: Request) -> dict[str, str]:
    """One more, as it came."""
    deliveries.append(await request.body())
    return {"message": "accepted"}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
