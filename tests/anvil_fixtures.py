"""Fixtures that give a test a real node with the real contracts; mark it `devnet` so that it skips where Node.js is absent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.devnet import Devnet, ensure_state, running_devnet
from scripts._devnet.packages import unusable
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


@pytest.fixture(scope="session")
def venues(devnet_packages: None) -> Iterator[Venues]:
    """One node with V4, Balancer V2 and more for all tests that ask for it; group them, so that one worker starts it."""
    with running_venues() as started:
        yield started
