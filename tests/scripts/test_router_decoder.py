"""The router decoder is timed in its own environment, and said to be missing where it cannot be installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts._bench.environment import environment
from scripts._bench.router_decoder import LOCK, NAME, WORKER, RouterDecoder

STAND_IN = """\
class RouterCodec:
    @property
    def decode(self):
        return self

    def function_input(self, calldata):
        return "execute", {"inputs": [calldata, ("swap", {}, {})]}
"""


def test_worker_answers_with_its_seconds_and_what_it_decodes(tmp_path: Path) -> None:
    (tmp_path / "uniswap_universal_router_decoder.py").write_text(STAND_IN)
    command = (sys.executable, str(WORKER))
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={"PYTHONPATH": str(tmp_path)}) as worker:
        peer = RouterDecoder(worker)
        assert peer.known(b"\x01") == (1, 2)
        assert peer.seconds(b"\x01", 1_000) > 0
        worker.kill()


def test_peer_that_cannot_be_installed_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("venv.create", no_network)
    reason = environment(NAME, LOCK)
    assert isinstance(reason, str)
    assert "router-decoder is not measured" in reason
    assert "offline" in reason


def test_lock_of_the_peer_pins_and_hashes_and_names_no_address() -> None:
    lines = LOCK.read_text().splitlines()
    assert any(line.startswith("uniswap-universal-router-decoder==") for line in lines)
    assert all("==" in line for line in lines if not line.startswith(" "))
    assert not any("://" in line or "--index" in line for line in lines)
