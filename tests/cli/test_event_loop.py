"""Commands that listen run with all that was loaded before kept from the garbage collector."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from mempool.cli.event_loop import event_loop_run


async def frozen() -> int:
    return gc.get_freeze_count()


def test_what_was_loaded_is_frozen_while_it_runs_and_not_after() -> None:
    kept = [[number] for number in range(1_000)]
    assert event_loop_run(frozen()) > len(kept)
    assert gc.get_freeze_count() == 0


def test_failure_is_raised_and_leaves_nothing_frozen() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        event_loop_run(fail())
    assert gc.get_freeze_count() == 0


def test_program_runs_where_uvloop_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert event_loop_run(frozen()) > 0
