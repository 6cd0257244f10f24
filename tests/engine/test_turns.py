"""Turns: live at once and noted, in a replay only where the note stands."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mempool.engine.turns import MARK, LiveTurns, ReplayTurns
from mempool.feeds.capture import CaptureReader, CaptureWriter, Mark


async def test_live_turn_comes_at_once_and_is_written_to_the_capture(tmp_path: Path) -> None:
    capture = CaptureWriter(str(tmp_path / "run.capture"), chain_id=1, started_ns=1)
    now_ns = await LiveTurns(capture).take("pools 1")
    capture.close()
    assert list(CaptureReader(str(tmp_path / "run.capture"))) == [Mark(now_ns, MARK, "pools 1")]


async def test_replayed_read_waits_for_its_mark_and_the_mark_for_the_read() -> None:
    turns = ReplayTurns()
    applied: list[int] = []

    async def read() -> None:
        applied.append(await turns.take("block 0x1"))
        turns.done("block 0x1")

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    assert applied == []
    await turns.on_mark(Mark(77, MARK, "block 0x1"))
    assert applied == [77]
    await task


async def test_mark_that_comes_before_its_read_is_ready_waits_for_it() -> None:
    turns = ReplayTurns()
    marked = asyncio.create_task(turns.on_mark(Mark(5, MARK, "token 1")))
    await asyncio.sleep(0)
    assert not marked.done()
    assert await turns.take("token 1") == 5
    turns.done("token 1")
    await marked
