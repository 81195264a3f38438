"""The switch's side of the benchmarks: signs clients in, answers a snapshot's commands, and sends what it is given.

Threads and blocking sockets: what this process costs is not measured, only that it is ready to send whenever the client
is ready to read. As a program it sends copies of the recorded event to whoever has subscribed::

    python -m tests.bench.switch_stand_in EVENTS CALLS

It prints its port, then ``plain`` or ``json`` for every subscription it took; a line on its standard input sets the
events off.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import islice

from tests.bench.recorded import Form, RecordedEvent

PASSWORD = "bench"
_BATCH = 32


class SwitchStandIn:
    """Listens on a port of its own. ``on_subscribe`` is called, in some thread, for every subscription taken."""

    def __init__(self, recorded: RecordedEvent, *, on_subscribe: Callable[[Form], None] = lambda form: None) -> None:
        self._recorded = recorded
        self._on_subscribe = on_subscribe
        self._subscribers: list[tuple[socket.socket, Form]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def send(self, frames: bytes) -> None:
        """Write event frames to every client that has subscribed; returns when the system has taken them."""
        for client, _ in self._subscribers:
            client.sendall(frames)

    def flood(self, count: int) -> None:
        """Send ``count`` copies to every subscriber, in its form, as fast as it reads."""
        for client, form in self._subscribers:
            frames = iter(list(self._recorded.frames(count, form)))
            while batch := b"".join(islice(frames, _BATCH)):
                client.sendall(batch)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.sendall(b"Content-Type: auth/request\n\n")
        try:
            for command in _commands(client):
                client.sendall(self._answer(client, command))
        except OSError:
            return

    def _answer(self, client: socket.socket, command: str) -> bytes:
        word, _, rest = command.partition(" ")
        if word == "auth":
            return _reply("+OK accepted" if rest == PASSWORD else "-ERR invalid")
        if word in ("event", "events"):
            form: Form = "json" if rest.startswith("json") else "plain"
            self._subscribers.append((client, form))
            self._on_subscribe(form)
            return _reply(f"+OK event listener enabled {form}")
        if word == "api":
            return _response(self._api(rest))
        return _reply("+OK")

    def _api(self, line: str) -> bytes:
        name, _, args = line.partition(" ")
        if name == "show":
            rows = [self._row(call_id) for call_id in self._recorded.call_ids]
            return json.dumps({"row_count": len(rows), "rows": rows}).encode()
        if name == "uuid_dump":
            return self._recorded.channel_data(args.split()[0])
        if name == "uuid_exists":
            return b"true" if args in self._recorded.call_ids else b"false"
        return b"+OK\n"

    def _row(self, call_id: str) -> dict[str, str]:
        headers = dict(self._recorded.headers)
        return {
            "uuid": call_id,
            "direction": "inbound",
            "created_epoch": str(int(str(headers["Caller-Channel-Created-Time"])) // 1_000_000),
            "name": str(headers["Channel-Name"]),
            "state": "CS_EXECUTE",
            "cid_num": str(headers["Caller-Caller-ID-Number"]),
            "dest": str(headers["Caller-Destination-Number"]),
            "application": "park",
            "callstate": "ACTIVE",
            "call_uuid": call_id,
        }


def _commands(client: socket.socket) -> Iterator[str]:
    """The first line of every command, up to the end of the stream."""
    buffer = b""
    while data := client.recv(65_536):
        buffer += data
        while b"\n\n" in buffer:
            command, _, buffer = buffer.partition(b"\n\n")
            yield command.partition(b"\n")[0].decode()


def _reply(text: str) -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def _response(body: bytes) -> bytes:
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(body), body)


def main() -> None:
    events, calls = int(sys.argv[1]), int(sys.argv[2])
    stand_in = SwitchStandIn(RecordedEvent(calls), on_subscribe=lambda form: print(form, flush=True))
    print(stand_in.port, flush=True)
    for _ in sys.stdin:
        stand_in.flood(events)


if __name__ == "__main__":
    main()
