"""Servers inside the test's own process, for what no real server can be brought to do: hostile or broken greetings."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Handler = Callable[[socket.socket, threading.Event], None]


@contextmanager
def serving(*handlers: Handler) -> Iterator[tuple[str, int]]:
    """Listen on loopback; the nth connection is handled by the nth handler, later ones by the last.

    Each handler gets the connection and an event that is set when the test is over.
    """
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def accept() -> None:
        for number in range(100):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            handler = handlers[min(number, len(handlers) - 1)]
            threads.append(threading.Thread(target=handle, args=(handler, connection), daemon=True))
            threads[-1].start()

    def handle(handler: Handler, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            handler(connection, done)

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()
    finally:
        done.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)
        for thread in threads:
            thread.join(5)


def silent(connection: socket.socket, done: threading.Event) -> None:
    """Accept, and say nothing."""
    done.wait(30)


def saying(data: bytes, then_close: bool = True) -> Handler:
    """Send *data* once the client has spoken; then hang up, or stay."""

    def handler(connection: socket.socket, done: threading.Event) -> None:
        connection.recv(256)
        connection.sendall(data)
        if not then_close:
            done.wait(30)

    return handler


def hanging_up(connection: socket.socket, done: threading.Event) -> None:
    """Close (FIN) once the client has spoken, without a word."""
    connection.recv(256)


def resetting(connection: socket.socket, done: threading.Event) -> None:
    """Reset (RST) once the client has spoken."""
    connection.recv(256)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def dripping(data: bytes, interval: float) -> Handler:
    """Send one byte of *data* every *interval* seconds."""

    def handler(connection: socket.socket, done: threading.Event) -> None:
        for number in range(len(data)):
            connection.sendall(data[number : number + 1])
            if done.wait(interval):
                return

    return handler


def flooding(chunk: bytes) -> Handler:
    """Send *chunk* for ever."""

    def handler(connection: socket.socket, done: threading.Event) -> None:
        while not done.is_set():
            connection.sendall(chunk)

    return handler
