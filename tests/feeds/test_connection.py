"""Work side by side: the first end is that of all, and what could not be written at the end is not passed over."""

from __future__ import annotations

import asyncio

import pytest

from mempool.errors import StoreError
from mempool.feeds.connection import first_end


class Done(Exception):
    """One of them has come to its end."""


async def done() -> None:
    await asyncio.sleep(0)
    raise Done


async def ended_by(problem: Exception) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise problem


async def test_first_to_fail_ends_the_others_and_is_raised() -> None:
    with pytest.raises(Done):
        await first_end(ended_by(OSError("the line was open")), done(), asyncio.sleep(60))


async def test_what_another_could_not_write_at_its_end_is_raised() -> None:
    with pytest.raises(StoreError, match="the disk is full"):
        await first_end(ended_by(StoreError("the disk is full")), done())
