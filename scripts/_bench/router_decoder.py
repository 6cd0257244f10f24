"""uniswap-universal-router-decoder as a peer: installed by its own lock into an environment of its own, and timed there.

Its needs are not ours (it pins what web3 it works with), so it never shares our environment.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCK = HERE / "router-decoder.lock"
WORKER = HERE / "router_decoder_worker.py"
NAME = "router-decoder"
INSTALL_SECONDS = 300


class RouterDecoder:
    """The running worker. `seconds` is one round of it; `known` says how much of the calldata came out decoded."""

    def __init__(self, worker: subprocess.Popen[str]) -> None:
        self._worker = worker
        self._answer()

    def seconds(self, calldata: bytes, count: int) -> float:
        """Processor seconds that it takes to decode the calldata so many times."""
        return float(self._ask(calldata, count)["seconds"])

    def known(self, calldata: bytes) -> tuple[int, int]:
        """How many of the commands it decodes, and how many there are."""
        answer = self._ask(calldata, 1)
        return int(answer["known"]), int(answer["commands"])

    def _ask(self, calldata: bytes, count: int) -> dict[str, Any]:
        if self._worker.stdin is None:
            raise AssertionError("the worker was started without a pipe")
        self._worker.stdin.write(json.dumps({"calldata": "0x" + calldata.hex(), "count": count}) + "\n")
        self._worker.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._worker.stdout.readline() if self._worker.stdout else ""
        if not line:
            raise RuntimeError(f"{NAME}: its worker ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextlib.contextmanager
def router_decoder() -> Iterator[RouterDecoder | str]:
    """The peer, running; or why it is not there, in words."""
    python = environment()
    if isinstance(python, str):
        yield python
        return
    command = (str(python), "-I", str(WORKER))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        try:
            yield RouterDecoder(worker)
        finally:
            worker.kill()


def environment() -> Path | str:
    """The Python of the peer's environment, made on the first call; or why there is none, in words."""
    stamp = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = _cache() / f"router-decoder-{stamp}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if ready.is_file():
        return python
    print(f"bench: installing {NAME} (once)", file=sys.stderr)
    install = (python, "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes", "--requirement", LOCK)
    try:
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        return f"{NAME} is not measured: it could not be installed ({type(error).__name__}; is this machine offline?)"
    ready.touch()
    return python


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "mempool-bench")
