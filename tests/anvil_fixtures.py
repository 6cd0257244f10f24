"""Fixtures that give a test a real node with the real contracts; mark it `devnet` so that it skips where Node.js is absent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts._devnet.anvil import AnvilOptions, reserved_port
from scripts._devnet.devnet import Devnet, ensure_state, running_devnet
from scripts._devnet.packages import unusable
from tests.conftest import WAIT_SECONDS
from tests.e2e.venues import Venues, running_venues

StartDevnet = Callable[[AnvilOptions], Devnet]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if reason := unusable():
        for item in items:
            if item.get_closest_marker("devnet"):
                item.add_marker(pytest.mark.skip(reason=reason.split(":")[0]))


@pytest.fixture(scope="session")
def devnet_packages() -> None:
    """The packages and the prepared state, made on the first use."""
    ensure_state()


@pytest.fixture
def devnet(devnet_packages: None) -> Iterator[Devnet]:
    """A fresh node that mines only when asked (`devnet.mine()`); it starts in 0.3 s, so each test has its own."""
    with running_devnet() as started:
        yield started


@pytest.fixture
def start_devnet(devnet_packages: None) -> Iterator[StartDevnet]:
    """Starts nodes with the test's own options; all are stopped at its end."""
    with ExitStack() as stack:
        yield lambda options: stack.enter_context(running_devnet(options))


@pytest.fixture
def own_port() -> Iterator[int]:
    """A port at which nobody is who is not told of it: for a server that a test starts and ends, or for none."""
    with reserved_port() as port:
        yield port


@pytest.fixture(scope="session")
def venues(devnet_packages: None) -> Iterator[Venues]:
    """One node with V4, Balancer V2 and more for all tests that ask for it; `tests/scheduling.py` names their modules."""
    with running_venues() as started:
        yield started


def kill_when_saved(devnet: Devnet, state: Path) -> None:
    """End the node as a power cut would, once its state file has held its newest block, and leave that file.

    Anvil writes it every second, in place and for a good part of that second: cut off there, it could not be read again.
    """
    newest, end = devnet.block_number(), time.monotonic() + WAIT_SECONDS
    saved = state.read_bytes()
    while saved_number(saved) < newest:
        assert time.monotonic() < end, "the node does not write its state"
        time.sleep(0.02)
        saved = state.read_bytes()
    devnet.anvil.kill()
    state.write_bytes(saved)


def saved_number(state: bytes) -> int:
    """The newest block in it; -1 where it is not whole."""
    try:
        number: int = json.loads(state)["best_block_number"]
    except ValueError:
        return -1
    return number
