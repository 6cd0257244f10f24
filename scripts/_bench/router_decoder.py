"""uniswap-universal-router-decoder as a peer: installed by its own lock into an environment of its own, and timed there.

Its needs are not ours (it pins what web3 it works with), so it never shares our environment.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

from scripts._bench.environment import HERE, environment

LOCK = HERE / "router-decoder.lock"
WORKER = HERE / "router_decoder_worker.py"
NAME = "router-decoder"


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
    python = environment(NAME, LOCK)
    if isinstance(python, str):
        yield python
        return
    command = (str(python), "-I", str(WORKER))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        try:
            yield RouterDecoder(worker)
        finally:
            worker.kill()
