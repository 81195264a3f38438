"""Dialling an app: its WebSocket, while the caller hears it ring."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from daemon.address_guard import AddressGuard, PrivateAddressError
from daemon.callapps.apps.relay.options import RelayOptions

_LARGEST_FRAME: Final = 65_536
_QUEUE: Final = 16
"""Frames that may wait between the socket and us."""
_ALIVE_INTERVAL: Final = 20.0
"""Seconds between two WebSocket pings; as long again may the answer take."""
_CLOSE_WITHIN: Final = 0.5
"""Seconds that the app may take to say goodbye: a caller may be waiting for a person meanwhile."""
_ONE_ADDRESS: Final = 2.0
"""Seconds after which the next address of a name is tried."""
_PORTS: Final = {"ws": 80, "wss": 443}


class DialError(Exception):
    """The app was not reached. The text says why, for operators, without its address."""


async def dial(options: RelayOptions, headers: Mapping[str, str]) -> ClientConnection:
    """The app's WebSocket, opened in time. Redirects are not followed. Raises :class:`DialError`."""
    try:
        async with asyncio.timeout(options.connect_within):
            tls = await asyncio.to_thread(_tls, options.ca_file) if options.url.startswith("wss:") else None
            parts = urlsplit(options.url)
            port = parts.port or _PORTS[parts.scheme]
            connected = await _connected(parts.hostname or "", port, options.guard)
            try:
                return await connect(
                    options.url,
                    sock=connected,
                    ssl=tls,
                    additional_headers=headers,
                    compression=None,
                    open_timeout=None,
                    ping_interval=_ALIVE_INTERVAL,
                    ping_timeout=_ALIVE_INTERVAL,
                    close_timeout=_CLOSE_WITHIN,
                    max_size=_LARGEST_FRAME,
                    max_queue=_QUEUE,
                    proxy=None,
                )
            except BaseException:
                connected.close()
                raise
    except (OSError, WebSocketException, ValueError) as error:  # a redirect is a ValueError
        raise DialError(_why(error)) from error


async def _connected(host: str, port: int, guard: AddressGuard) -> socket.socket:
    """A socket to the first address that takes it. Raises ``OSError``."""
    loop = asyncio.get_running_loop()
    problem: OSError = OSError("the name has no address")
    infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for info in infos:
        try:
            connecting = guard.socket(info)
        except OSError as error:
            problem = error
            continue
        connecting.setblocking(False)
        try:
            # The last one has whatever time is left.
            async with asyncio.timeout(None if info is infos[-1] else _ONE_ADDRESS):
                await loop.sock_connect(connecting, info[4])
        except OSError as error:  # of which TimeoutError is one
            connecting.close()
            problem = error
        except BaseException:
            connecting.close()
            raise
        else:
            return connecting
    raise problem


def _tls(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _why(error: BaseException) -> str:
    match error:
        case InvalidStatus():
            return f"the app refuses the call: HTTP {error.response.status_code}"
        case InvalidHandshake() | WebSocketException():
            return f"what answers there is no WebSocket ({type(error).__name__})"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case PrivateAddressError():
            return str(error)
        case TimeoutError():
            return "it does not answer in time"
        case OSError() if error.errno is not None and error.errno > 0:
            return f"cannot connect: {os.strerror(error.errno)}"  # the error's own text may name the address
    return f"cannot connect: {type(error).__name__}"
