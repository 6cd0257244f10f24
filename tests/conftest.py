"""Fixtures that the whole suite shares: the recorded data beside the checkout, and the flag for long runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.scheduling import scheduler

pytest_plugins = ["tests.anvil_fixtures"]

ROOT = Path(__file__).parent.parent
WAIT_SECONDS = 180.0
"""Far more than anything that a test waits for takes, on a busy machine too; one that reaches it has failed."""
SHARED = Path(os.environ.get("MEMPOOL_SHARED_DATA", ROOT.parent / "shared" / "data"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it puts in the background deaf to Ctrl-C, and so would be every program that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the long fuzz, property and soak tests")


def pytest_configure(config: pytest.Config) -> None:
    # How long an example takes says how busy the machine is; and the same sources are given the same verdict, but for long runs.
    settings.register_profile(
        "mempool",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=not config.getoption("--slow"),
    )
    settings.load_profile("mempool")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return scheduler(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow") and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="long run: give --slow"))
        if item.get_closest_marker("shared") and not SHARED.is_dir():
            item.add_marker(pytest.mark.skip(reason="needs the recorded data in ../shared/data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The recorded mainnet blocks and exchange frames; mark the test `shared` so that it skips where they are absent."""
    return SHARED


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """For socket files: the whole path of one has at most 107 bytes, and a test's own folder may stand deep."""
    with TemporaryDirectory(prefix="mempool-", dir="/tmp") as folder:
        yield Path(folder)
