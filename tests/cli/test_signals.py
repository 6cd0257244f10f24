"""What the first and the second signal do to a command that listens."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest

from mempool.cli.signals import end_code, heed_signals
from tests.conftest import ROOT

STUBBORN = """
import asyncio
from mempool.cli.signals import heed_signals

async def main():
    heed_signals(lambda: print("asked to end", flush=True))
    print("listening", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_first_signal_asks_for_the_end_and_gives_the_exit_code(number: signal.Signals, code: int) -> None:
    stop = asyncio.Event()
    received = heed_signals(stop.set)
    assert end_code(received) == 0
    signal.raise_signal(number)
    async with asyncio.timeout(180):
        await stop.wait()
    assert (list(received), end_code(received)) == ([number], code)
    for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().remove_signal_handler(each)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_ends_at_once_what_does_not_end(second: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "asked to end\n"
        process.send_signal(second)
        assert process.wait(180) == -second


def test_terminal_that_closes_is_told_of_twice_and_ends_nothing_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        process.send_signal(signal.SIGHUP)
        assert process.stdout.readline() == "asked to end\n"
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        assert process.wait(180) == -signal.SIGINT


def test_terminal_that_closes_does_not_end_what_was_started_with_nohup() -> None:
    ignoring = f"import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n{STUBBORN}"
    with subprocess.Popen([sys.executable, "-c", ignoring], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "asked to end\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(180) == -signal.SIGTERM
