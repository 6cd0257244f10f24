"""The node's process: started on this machine's loopback, waited for, and ended by its own pid."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts._devnet.packages import DevnetError, ensure_node_modules
from scripts._devnet.rpc import Rpc

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 15.0
GWEI = 10**9


@dataclass(frozen=True)
class AnvilOptions:
    """How to run the node. `block_time` in seconds; None mines only when asked, 0 mines every transaction at once.

    `order` is `fifo` or `fees`, by maxFeePerGas alone. `load_state` is read at the start; `state` is read (where it exists) and
    written every second, so that it survives a kill.
    """

    port: int = 0
    block_time: float | None = None
    order: str = "fifo"
    ipc: Path | None = None
    load_state: Path | None = None
    state: Path | None = None
    accounts: int = 40
    balance_ether: int = 10_000_000
    disable_gas_limit: bool = False


class Anvil:
    """One running node on chain 1. Use it as a context manager, or call `stop`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, ipc: Path | None) -> None:
        self._process = process
        self.port = port
        self.ipc = ipc
        self.rpc = Rpc(HOST, port)

    @property
    def ws_url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    @property
    def http_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End it cleanly (its state file is written); kill it when it does not end in time."""
        self.rpc.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.rpc.close()
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.is_running():
            self.stop()


def start_anvil(options: AnvilOptions) -> Anvil:
    """Start the node and wait until it answers. Raises `DevnetError` when it does not, with what it said.

    The node ends with the thread that started it, even when that is killed; Ctrl-C in a terminal does not reach it.
    """
    if not options.port:
        with reserved_port() as port:
            return start_on(options, port)
    if not is_free(options.port):
        raise DevnetError(f"port {options.port} is taken: name another one with --port")
    return start_on(options, options.port)


def start_on(options: AnvilOptions, port: int) -> Anvil:
    """Start the node on this port. Raises `DevnetError`, also where the port is taken."""
    binary = ensure_node_modules() / "@foundry-rs/anvil-linux-amd64" / "bin" / "anvil"
    command = [*dies_with_parent(), str(binary), *arguments(options, port)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
        try:
            wait_until_ready(process, port)
        except DevnetError as error:
            process.kill()
            process.wait()
            said.seek(0)
            raise DevnetError(f"{error}: {said.read().decode(errors='replace').strip()[-1000:]}") from error
    return Anvil(process, port, options.ipc)


def arguments(options: AnvilOptions, port: int) -> list[str]:
    flags = ["--quiet", "--host", HOST, "--port", str(port), "--chain-id", "1", "--order", options.order]
    flags += ["--accounts", str(options.accounts), "--balance", str(options.balance_ether)]
    flags += ["--block-base-fee-per-gas", str(GWEI), "--no-request-size-limit"]
    if options.block_time is None:
        flags += ["--no-mining"]
    elif options.block_time:
        flags += ["--block-time", str(options.block_time)]
    if options.disable_gas_limit:
        flags += ["--disable-block-gas-limit"]
    if options.ipc:
        flags += ["--ipc", str(options.ipc)]
    if options.load_state:
        flags += ["--load-state", str(options.load_state)]
    if options.state:
        flags += ["--state", str(options.state), "--state-interval", "1"]
    return flags


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DevnetError(f"anvil ended with code {process.returncode}")
        rpc = Rpc(HOST, port, timeout=5)
        try:
            rpc.call("eth_chainId")
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
        else:
            return
        finally:
            rpc.close()
    raise DevnetError(f"anvil did not answer within {START_SECONDS:.0f} s")


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that the system gives to nobody else meanwhile. Connections to it are refused until somebody listens there.

    Who binds it by its number with SO_REUSEADDR, as servers do, may: the socket that holds it does not listen.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((HOST, 0))
        port: int = held.getsockname()[1]
        yield port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def dies_with_parent() -> list[str]:
    """Have the kernel end the node when we are killed; setpriv becomes the node, so the pid stays."""
    return ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
