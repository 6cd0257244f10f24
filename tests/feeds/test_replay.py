"""A replayed capture tells what the run told, in its order, and answers what the run was answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mempool.errors import CaptureError, RpcError, UpstreamError
from mempool.feeds.capture import Asked, CaptureReader, CaptureWriter, Mark
from mempool.feeds.events import NodeEvent, Purpose
from mempool.feeds.replay import ReplayFeed, ReplayOptions
from mempool.feeds.targets import Targets
from tests.fakes.messages import ROUTER, answer, failure, head, notification, pool_content, transaction, transaction_hash
from tests.fakes.node import Silence, scripted_node
from tests.feeds.listening import QUICK, listening

TARGETS = Targets(frozenset({ROUTER.encode()}))


async def no_mark(_: Mark) -> None:
    pass


def record(path: Path, *script: tuple[Any, ...]) -> CaptureReader:
    """A capture of a conversation: `(id, method, params)` is a request, bytes are heard, one word is a mark."""
    writer = CaptureWriter(str(path), chain_id=1, started_ns=0)
    for number, step in enumerate(script):
        match step:
            case (int(id_), str(method), list(params)):
                writer.asked(Asked(number, "n", id_, method, params, Purpose.READ))
            case (bytes(frame),):
                writer.heard(number, "n", frame)
            case (str(name),):
                writer.mark(number, name, "")
    writer.close()
    return CaptureReader(str(path))


async def test_replay_tells_every_event_of_the_run_again(tmp_path: Path) -> None:
    path = str(tmp_path / "a.gz")
    capture = CaptureWriter(path, chain_id=1, started_ns=time.time_ns())
    async with scripted_node() as node:
        node.replies["txpool_content"] = lambda _: pool_content(8, 9)
        node.replies["eth_getTransactionByHash"] = lambda _: transaction(3)
        async with listening(node.url, msgspec.structs.replace(QUICK, capture=capture)) as listener:
            node.notify("newPendingTransactions", transaction(1))
            node.notify("newPendingTransactions", transaction_hash(3))
            node.notify("newHeads", head(17))
            node.say(b"\xff{")
            await listener.until(lambda: 3 in listener.nonces())
            await listener.feed.request("eth_blockNumber", [])
            with pytest.raises(RpcError):
                await listener.feed.request("eth_getLogs", [])
            node.replies["eth_call"] = silence
            asking = asyncio.create_task(listener.feed.request("eth_call", []))
            await listener.until(lambda: "eth_call" in node.methods)
            node.cut()
            with pytest.raises(UpstreamError):
                await asking
            await listener.until(lambda: listener.feed.connections == 2)
            node.notify("newPendingTransactions", transaction(4))
            await listener.until(lambda: 4 in listener.nonces())
    capture.close()
    events: list[NodeEvent] = []
    replay = ReplayFeed(CaptureReader(path), events.append, no_mark, ReplayOptions(TARGETS))
    await replay.run()
    assert events == listener.events
    session = replay.sessions["n"]
    assert (session.seen, session.foreign, session.dropped) == (
        listener.feed.session.seen,
        listener.feed.session.foreign,
        listener.feed.session.dropped,
    )
    assert await replay.request("eth_blockNumber", []) == b'"0x10"'
    with pytest.raises(RpcError, match="does not exist"):
        await replay.request("eth_getLogs", [])
    with pytest.raises(UpstreamError, match="eth_call"):
        await replay.request("eth_call", [])


def silence(_: Sequence[Any]) -> None:
    raise Silence


async def test_answer_waits_for_its_request_and_request_for_its_answer(tmp_path: Path) -> None:
    reader = record(
        tmp_path / "a",
        (1, "eth_call", ["early"]),
        (answer(1, "one"),),
        ("first",),
        (2, "eth_call", ["late"]),
        (answer(2, "two"),),
        ("second",),
    )
    got: list[bytes] = []

    async def on_mark(mark: Mark) -> None:
        if mark.name == "first":
            got.append(await replay.request("eth_call", ["early"]))
            waiting.append(asyncio.create_task(replay.request("eth_call", ["late"])))
            await asyncio.sleep(0)
        else:
            got.append(await waiting[0])

    waiting: list[asyncio.Task[bytes]] = []
    replay = ReplayFeed(reader, lambda _: None, on_mark)
    await replay.run()
    assert got == [b'"one"', b'"two"']


async def test_equal_requests_are_served_in_the_order_of_their_answers(tmp_path: Path) -> None:
    reader = record(tmp_path / "a", (1, "eth_call", [1]), (failure(1, -5, "not yet"),), (2, "eth_call", [1]), (answer(2, "now"),))
    replay = ReplayFeed(reader, lambda _: None, no_mark)
    await replay.run()
    with pytest.raises(RpcError, match="not yet"):
        await replay.request("eth_call", [1])
    assert await replay.request("eth_call", [1]) == b'"now"'


async def test_nothing_is_played_while_a_mark_is_awaited(tmp_path: Path) -> None:
    told: list[str] = []

    async def on_mark(mark: Mark) -> None:
        told.append(f"{mark.name} begins")
        await asyncio.sleep(0.01)
        told.append(f"{mark.name} ends")

    message = (notification("0x1", 5),)
    reader = record(tmp_path / "a", message, ("mark",), message)
    await ReplayFeed(reader, lambda event: told.append(type(event).__name__), on_mark).run()
    assert told == ["Dropped", "mark begins", "mark ends", "Dropped"]


async def test_open_requests_fail_at_the_end_of_the_capture(tmp_path: Path) -> None:
    replay = ReplayFeed(record(tmp_path / "a", (1, "eth_call", [])), lambda _: None, no_mark)
    asking = asyncio.create_task(replay.request("eth_call", []))
    await asyncio.sleep(0)
    await replay.run()
    with pytest.raises(UpstreamError, match="ends before the answer"):
        await asking
    with pytest.raises(UpstreamError, match="holds no answer"):
        await replay.request("eth_call", [])


async def test_mark_that_waits_in_vain_is_an_error_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mempool.feeds.replay.MARK_SECONDS", 0.05)

    async def on_mark(_: Mark) -> None:
        await replay.request("eth_call", ["never asked"])

    replay = ReplayFeed(record(tmp_path / "a", ("mark",)), lambda _: None, on_mark)
    with pytest.raises(CaptureError, match="line 2: the mark mark  waits for an answer"):
        await replay.run()


async def test_request_that_found_no_connection_fails_again(tmp_path: Path) -> None:
    path = str(tmp_path / "a")
    capture = CaptureWriter(path, chain_id=1, started_ns=0)
    async with scripted_node() as node:
        async with listening(node.url, msgspec.structs.replace(QUICK, capture=capture)) as listener:
            pass
        with pytest.raises(UpstreamError, match="not connected"):
            await listener.feed.request("eth_call", [])
    capture.close()
    replay = ReplayFeed(CaptureReader(path), lambda _: None, no_mark)
    await replay.run()
    with pytest.raises(UpstreamError, match="not connected"):
        await replay.request("eth_call", [])


async def test_truncated_capture_is_played_up_to_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "a"
    record(path, (notification("0x1", 5),), (notification("0x1", 5),)).close()
    path.write_bytes(path.read_bytes()[:-5])
    events: list[NodeEvent] = []
    with pytest.raises(CaptureError, match="line 3: the line is cut off"):
        await ReplayFeed(CaptureReader(str(path)), events.append, no_mark).run()
    assert len(events) == 1
