"""Processes of the program that need not load it: an interpreter that has done so forks for each, and tells how each ends.

A fork has its own process, folder, variables, streams and signals, and runs from the program's first line to the interpreter's
own end; only the imports lie before it. Variables that an interpreter reads at its own start have an interpreter of their own.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from struct import Struct as Record
from threading import Lock

from msgspec import Struct, msgpack

ROOT = Path(__file__).parent.parent.parent
READ_AT_START = ("PYTHON", "LC_", "LANG", "PATH", "VIRTUAL_ENV")
"""How the names begin of variables that an interpreter heeds once."""
LATE = ("web3", "typer._adapters", "rich.console", "rich.live", "rich.tree", "uvloop")
"""Modules of others that ours, or theirs, import in functions."""
SIZE_BYTES = 4
NEWS = Record("=cq")
"""What is told of a process: that it begins, with its number, or that it has ended, with its exit code."""
BEGINS, ENDED = b"b", b"e"
TELLER = 3
"""Where a fork has what it tells of itself through, behind the three streams."""
ASKING = Lock()


class Request(Struct, frozen=True, array_like=True):
    """What to run; its two streams and where to tell of it come along."""

    arguments: list[str]
    folder: str
    environ: dict[str, str]


class Fork:
    """One such process; the methods are those of `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], folder: Path, environ: Mapping[str, str], streams: Sequence[int]) -> None:
        self.returncode: int | None = None
        self._news, teller = os.pipe()
        request = msgpack.encode(Request(list(arguments), str(folder), dict(environ)))
        heeded = {name: value for name, value in environ.items() if name.startswith(READ_AT_START)}
        with ASKING:
            control = parent(tuple(sorted(heeded.items())))
            socket.send_fds(control, [len(request).to_bytes(SIZE_BYTES)], [*streams, teller])
            control.sendall(request)
        os.close(teller)
        kind, number = NEWS.unpack(os.read(self._news, NEWS.size))
        assert kind == BEGINS, f"it ended with {number} before it began"
        self.pid: int = number

    def poll(self) -> int | None:
        return self._end_within(0.0)

    def wait(self, seconds: float) -> int:
        """Raises `TimeoutExpired`."""
        code = self._end_within(seconds)
        if code is None:
            raise subprocess.TimeoutExpired("mempool", seconds)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended just now
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _end_within(self, seconds: float) -> int | None:
        if self.returncode is None and select.select([self._news], [], [], seconds)[0]:
            _, self.returncode = NEWS.unpack(os.read(self._news, NEWS.size))
            os.close(self._news)
        return self.returncode


@cache
def parent(variables: tuple[tuple[str, str], ...]) -> socket.socket:
    """What the interpreter with these variables is asked through; it ends when this end is closed."""
    ours, its = socket.socketpair()
    with its:
        number, nowhere = its.fileno(), subprocess.DEVNULL
        command = [sys.executable, "-m", "tests.e2e.forks", str(number)]
        process = subprocess.Popen(command, cwd=ROOT, env=dict(variables), pass_fds=[number], stdin=nowhere, stdout=nowhere)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


class Forks:
    """The interpreter's own side."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._tellers = dict[int, int]()
        """By process."""

    def serve(self) -> Request | None:
        """What the process that returns from this is to run, a fork; None when nobody asks any more."""
        control, (ends, ended) = self._control.fileno(), os.pipe()
        os.set_blocking(ended, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(ended)
        while True:
            readable, _, _ = select.select([control, ends], [], [])
            if ends in readable:
                os.read(ends, 4096)
                self._tell_ends()
            if control in readable:
                size, descriptors, _, _ = socket.recv_fds(self._control, SIZE_BYTES, TELLER)
                if not size:
                    self._kill_all()
                    return None
                request = self._read(int.from_bytes(size))
                if not self._fork(descriptors):
                    return request

    def _read(self, size: int) -> Request:
        text = b""
        while len(text) < size:
            text += self._control.recv(size - len(text))
        return msgpack.decode(text, type=Request)

    def _fork(self, descriptors: Sequence[int]) -> int:
        if pid := os.fork():
            *streams, self._tellers[pid] = descriptors
            for stream in streams:
                os.close(stream)
            return pid
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._control.detach()
        moved = [os.dup(each) for each in descriptors]  # none of them stands where another goes
        for place, each in enumerate(moved, 1):
            os.dup2(each, place)
        os.closerange(TELLER + 1, os.sysconf("SC_OPEN_MAX"))
        return 0

    def _kill_all(self) -> None:
        """Whoever asked has ended, perhaps without a chance to end these."""
        for pid in self._tellers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _tell_ends(self) -> None:
        with suppress(ChildProcessError):  # there is none left
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                teller = self._tellers.pop(ended[0])
                with suppress(BrokenPipeError):
                    os.write(teller, NEWS.pack(ENDED, os.waitstatus_to_exitcode(ended[1])))
                os.close(teller)


def become(asked: Request) -> None:
    """Stand as a process does that has just been started with this."""
    os.chdir(asked.folder)
    os.environ.clear()
    os.environ.update(asked.environ)
    time.tzset()
    sys.argv = ["mempool", *asked.arguments]
    # Those of the start believe that they stand on what they stood on then, a device that can seek.
    sys.stdout = os.fdopen(1, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors, closefd=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.write(TELLER, NEWS.pack(BEGINS, os.getpid()))
    os.close(TELLER)


def load_everything() -> None:
    """All of the program's modules, what is imported late, and what a chain's tables compile."""
    package = importlib.import_module("mempool")
    ours = {found.name for found in pkgutil.walk_packages(package.__path__, "mempool.")} - {"mempool.__main__"}
    for name in (*ours, *LATE):
        with nullcontext() if name in ours else suppress(ImportError):  # not in every release, not on every system
            importlib.import_module(name)
    importlib.import_module("mempool.resources").load_tables()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    load_everything()
    gc.collect()
    gc.freeze()
    asked = Forks(socket.socket(fileno=int(sys.argv[1]))).serve()
    if asked is not None:
        from mempool.cli.start import start

        become(asked)
        start()
