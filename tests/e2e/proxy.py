"""A line to a node that can be cut: a TCP proxy on loopback, on one port for its whole life."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

from scripts._devnet.anvil import HOST, reserved_port


class Proxy:
    """Passes bytes on to `target_port`; between `cut` and `mend` connections are refused and the standing ones are broken."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self._ours = ExitStack()
        self.port = self._ours.enter_context(reserved_port())
        self.connections = 0
        self._standing: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None
        self.mend()

    @property
    def ws_url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    def mend(self) -> None:
        """Take connections (again)."""
        self._listening = listening = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        with self._lock:
            listening, self._listening = self._listening, None
            standing = list(self._standing)
        if listening is not None:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for each in standing:
            hang_up(each)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cut()
        self._ours.close()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # the listening socket has been closed
            while True:
                near, _ = listening.accept()
                self.connections += 1
                self._connect(near, listening)

    def _connect(self, near: socket.socket, listening: socket.socket) -> None:
        try:
            far = socket.create_connection((HOST, self.target_port))
        except OSError:
            hang_up(near)
            return
        with self._lock:
            is_cut = self._listening is not listening
            if not is_cut:
                self._standing |= {near, far}
        if is_cut:  # after this one was taken
            hang_up(near)
            hang_up(far)
            return
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65_536):
                sink.sendall(chunk)
        for each in (source, sink):
            with self._lock:
                self._standing.discard(each)
            hang_up(each)


def hang_up(connection: socket.socket) -> None:
    """Wake whoever reads it, then close it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
