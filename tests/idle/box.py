"""A box in front of a server on loopback, which forgets connections that nobody uses: a relay of the test's own.

It ends TCP on both sides, as a load balancer does. What real kernels do is shown by the scenarios in fixtures.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Close with a reset: SO_LINGER with no time at all.
_AT_ONCE = struct.pack("ii", 1, 0)


class Box:
    """``forget_after`` seconds without a byte, ``how``: ``closed`` in the open, or ``reset`` at the next packet.

    ``live_for`` seconds each connection is closed, used or not. ``takes`` is how many connections it takes in all.
    """

    def __init__(
        self, server: tuple[str, int], forget_after: float = 1e9, how: str = "closed", live_for: float = 1e9,
        takes: int = 1000,
    ) -> None:  # fmt: skip
        self._server = server
        self._forget_after, self._how, self._live_for, self._takes = forget_after, how, live_for, takes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.moments: list[float] = []
        self.at_a_time = 0
        self._open = 0
        self._over = threading.Event()

    def serve(self) -> None:
        with self._listener:
            while not self._over.is_set():
                if not select.select([self._listener], [], [], 0.05)[0]:
                    continue
                client, _ = self._listener.accept()
                self.moments.append(time.monotonic())
                if self.taken > self._takes:
                    client.close()
                    continue
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    @property
    def taken(self) -> int:
        """Connections that came so far."""
        return len(self.moments)

    def stop(self) -> None:
        self._over.set()

    def _relay(self, client: socket.socket) -> None:
        self._open += 1
        self.at_a_time = max(self.at_a_time, self._open)
        with client, socket.create_connection(self._server) as server:
            self._pass_on(client, server)
        self._open -= 1

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        born = used = time.monotonic()
        while not self._over.is_set():
            ready = select.select([client, server], [], [], 0.02)[0]
            now = time.monotonic()
            forgotten = now - used > self._forget_after
            if now - born > self._live_for or (forgotten and self._how == "closed"):
                return
            if ready and forgotten:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                return
            for each in ready:
                data = each.recv(65536)
                if not data:
                    return
                (server if each is client else client).sendall(data)
                used = now


@contextmanager
def box(server: tuple[str, int], **more: object) -> Iterator[Box]:
    """A box in front of *server* for the time of a test."""
    made = Box(server, **more)  # type: ignore[arg-type]
    thread = threading.Thread(target=made.serve)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join()
