"""A feed against a scripted node: subscriptions, back-fill, reconnects, and the faults of nodes and lines."""

from __future__ import annotations

import asyncio
import resource
import time
from typing import Any

import msgspec
import pytest

from mempool.errors import RpcError, UpstreamError, WrongChain
from mempool.feeds.events import Answer, Connected, Disconnected, HeadSeen, PendingHash, PendingSeen, Purpose
from mempool.feeds.links import LinkOptions
from tests.fakes.messages import head, pool_content, transaction, transaction_hash
from tests.fakes.node import Refusal, Silence, scripted_node
from tests.feeds.listening import QUICK, CalmTime, Listener, listening


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> CalmTime:
    """The time by which connections notice silence."""
    time = CalmTime()
    monkeypatch.setattr("mempool.feeds.connection.time", time)
    return time


async def test_full_bodies_and_heads_are_told_as_they_come() -> None:
    async with scripted_node() as node, listening(node.url) as listener:
        node.notify("newPendingTransactions", transaction(1))
        node.notify("newHeads", head(17))
        node.notify("newPendingTransactions", transaction(2))
        await listener.until(lambda: listener.nonces() == [1, 2])
        assert [event.ref.number for event in listener.told(HeadSeen)] == [16, 17]
        assert listener.told(PendingSeen)[0].tx.source == "n"


async def test_node_without_full_bodies_is_asked_for_each_by_its_hash() -> None:
    def subscribe(params: list[Any]) -> str:
        if params == ["newPendingTransactions", True]:
            raise Refusal(-32602, "too many arguments, want at most 1")
        return node._subscribe(params)

    async with scripted_node() as node:
        node.replies["eth_subscribe"] = subscribe
        node.replies["eth_getTransactionByHash"] = lambda params: transaction(int(params[0], 16) - 0xA000)
        async with listening(node.url) as listener:
            for nonce in range(200):
                node.notify("newPendingTransactions", transaction_hash(nonce))
            await listener.until(lambda: len(listener.nonces()) == 200)
            assert listener.nonces() == list(range(200))
            stamps = {event.hash: event.recv_ns for event in listener.told(PendingHash)}
            assert all(seen.tx.recv_ns == stamps[seen.tx.hash] for seen in listener.told(PendingSeen))


async def test_node_that_offers_no_pending_transactions_is_an_error() -> None:
    def subscribe(params: list[Any]) -> str:
        if params[0] == "newPendingTransactions":
            raise Refusal(-32601, "no such subscription")
        return node._subscribe(params)

    async with scripted_node() as node:
        node.replies["eth_subscribe"] = subscribe
        with pytest.raises(UpstreamError, match="no such subscription"):
            await Listener(node.url).feed.run()


async def test_node_on_another_chain_is_refused_before_any_subscription() -> None:
    async with scripted_node() as node:
        node.replies["eth_chainId"] = lambda _: "0x89"
        with pytest.raises(WrongChain, match="chain 137"):
            await Listener(node.url).feed.run()
        assert "eth_subscribe" not in node.methods


async def test_request_gets_its_own_answer() -> None:
    async with scripted_node() as node:
        node.replies["eth_getStorageAt"] = lambda params: params[1]
        async with listening(node.url) as listener:
            answers = await asyncio.gather(
                *(listener.feed.request("eth_getStorageAt", ["0x", hex(n), "0x"]) for n in range(2_000))
            )
            assert answers == [f'"{hex(n)}"'.encode() for n in range(2_000)]


async def test_error_answer_raises_its_code_and_reason() -> None:
    async with scripted_node() as node, listening(node.url) as listener:
        with pytest.raises(RpcError) as caught:
            await listener.feed.request("eth_getLogs", [])
        assert (caught.value.code, caught.value.reason) == (-32601, "the method does not exist")


async def test_request_that_may_change_something_is_refused_and_never_sent() -> None:
    async with scripted_node() as node, listening(node.url) as listener:
        with pytest.raises(UpstreamError, match="read-only"):
            await listener.feed.request("eth_sendRawTransaction", ["0x00"])
        assert "eth_sendRawTransaction" not in node.methods


async def test_open_request_fails_when_the_connection_breaks() -> None:
    def silence(_: list[Any]) -> None:
        raise Silence

    async with scripted_node() as node:
        node.replies["eth_getLogs"] = silence
        async with listening(node.url) as listener:
            asking = asyncio.create_task(listener.feed.request("eth_getLogs", []))
            await listener.until(lambda: "eth_getLogs" in node.methods)
            node.cut()
            with pytest.raises(UpstreamError, match="eth_getLogs"):
                await asking


async def test_request_without_a_connection_fails_at_once() -> None:
    with pytest.raises(UpstreamError, match="not connected"):
        await Listener("ws://127.0.0.1:1").feed.request("eth_chainId", [])


async def test_cut_connection_is_made_again_and_the_gap_back_filled() -> None:
    async with scripted_node() as node, listening(node.url) as listener:
        node.notify("newPendingTransactions", transaction(1))
        await listener.until(lambda: listener.nonces() == [1] and "txpool_content" in node.methods)
        node.replies["txpool_content"] = lambda _: pool_content(1, 2, queued=(4,))
        node.cut()
        await listener.until(lambda: len(listener.nonces()) == 4)
        node.notify("newPendingTransactions", transaction(5))
        await listener.until(lambda: listener.nonces() == [1, 1, 2, 4, 5])
        assert [event.backfilled for event in listener.told(PendingSeen)] == [False, True, True, True, False]
        line = [type(event) for event in listener.events if isinstance(event, Connected | Disconnected)]
        assert line == [Connected, Disconnected, Connected]
        assert listener.feed.connections == 2


async def test_what_the_machine_has_slept_through_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    wall_ns, slept_ns = time.time_ns, 3_600 * 10**9
    async with scripted_node() as node, listening(node.url) as listener:
        node.notify("newPendingTransactions", transaction(1))
        await listener.until(lambda: listener.nonces() == [1])
        await asyncio.sleep(3 * QUICK.tick_seconds)
        fell_asleep_ns = wall_ns()
        monkeypatch.setattr(time, "time_ns", lambda: wall_ns() + slept_ns)  # the monotonic clock stood still
        await listener.until(lambda: len(listener.told(Connected)) == 2)
        [lost] = listener.told(Disconnected)
    assert lost.reason == "the machine slept, or its clock was set"
    assert lost.recv_ns <= fell_asleep_ns
    assert listener.told(Connected)[1].recv_ns >= fell_asleep_ns + slept_ns


async def test_pool_as_it_stands_at_the_start_is_told_unless_told_otherwise() -> None:
    async with scripted_node() as node:
        node.replies["txpool_content"] = lambda _: pool_content(1)
        async with listening(node.url) as listener:
            await listener.until(lambda: listener.nonces() == [1])
        node.methods.clear()
        async with listening(node.url, msgspec.structs.replace(QUICK, backfill_at_start=False)) as listener:
            await listener.feed.request("eth_blockNumber", [])
            assert "txpool_content" not in node.methods


async def test_node_without_a_pool_to_read_is_asked_for_it_once() -> None:
    async with scripted_node() as node:
        del node.replies["txpool_content"]
        async with listening(node.url) as listener:
            await listener.until(lambda: "txpool_content" in node.methods)
            node.cut()
            await listener.until(lambda: listener.feed.connections == 2)
            await listener.feed.request("eth_blockNumber", [])
            assert node.methods.count("txpool_content") == 1
            ends = [answer for answer in listener.told(Answer) if answer.purpose is Purpose.BACKFILL]
            assert [answer.method for answer in ends] == ["txpool_content", "txpool_status"]


async def test_pool_that_is_too_large_to_read_does_not_end_every_connection() -> None:
    async with scripted_node() as node:
        node.replies["txpool_content"] = lambda _: "x" * 100_000
        options = msgspec.structs.replace(QUICK, link=LinkOptions(max_message_bytes=50_000))
        async with listening(node.url, options) as listener:
            await listener.until(lambda: listener.feed.connections == 3)
            await asyncio.sleep(0.2)
            assert (listener.feed.connections, node.methods.count("txpool_content")) == (3, 2)


async def test_announced_terabyte_ends_the_connection_within_a_second_and_five_megabytes(calm: CalmTime) -> None:
    async with scripted_node() as node, listening(node.url, msgspec.structs.replace(QUICK, tick_seconds=0.25)) as listener:
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started, worked = calm.monotonic(), time.process_time()
        node.raw(bytes([0x81, 127]) + (2**40).to_bytes(8) + b"x" * 4_096)
        await listener.until(lambda: bool(listener.told(Disconnected)))
        assert max(calm.monotonic() - started, time.process_time() - worked) <= 1
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb <= 5_000
        await listener.until(lambda: listener.feed.connections == 2)


async def test_compression_is_not_offered_and_a_compressed_frame_is_a_protocol_error() -> None:
    async with scripted_node() as node, listening(node.url) as listener:
        assert b"extensions" not in node.handshakes[0].lower()
        node.raw(bytes([0xC1, 4]) + b"\x00\x00\xff\xff")
        await listener.until(lambda: bool(listener.told(Disconnected)))
        await listener.until(lambda: listener.feed.connections == 2)


async def test_endless_empty_fragments_end_the_connection() -> None:
    async with scripted_node() as node, listening(node.url, msgspec.structs.replace(QUICK, idle_seconds=1)) as listener:
        node.raw(bytes([0x01, 0]))
        while not listener.told(Disconnected):
            node.raw(bytes([0x00, 0]) * 500)
            await asyncio.sleep(0.01)
        await listener.until(lambda: listener.feed.connections >= 2)


async def test_silent_node_that_answers_pings_is_given_up_within_the_idle_time(calm: CalmTime) -> None:
    def silence(_: list[Any]) -> None:
        raise Silence

    begun = calm.monotonic()
    async with scripted_node() as node, listening(node.url, msgspec.structs.replace(QUICK, idle_seconds=0.6)) as listener:
        node.replies["eth_blockNumber"] = silence
        started = calm.monotonic()
        await listener.until(lambda: bool(listener.told(Disconnected)))
        ended = calm.monotonic()
        assert ended - begun >= 0.6
        assert ended - started <= 1.6
        assert listener.told(Disconnected)[0].reason == "no whole message in 0.6 s"


async def test_quiet_node_that_answers_is_kept(calm: CalmTime) -> None:
    async with scripted_node() as node, listening(node.url, msgspec.structs.replace(QUICK, idle_seconds=1.2)) as listener:
        end = calm.monotonic() + 2
        await listener.until(lambda: calm.monotonic() > end)
        assert listener.told(Disconnected) == []
        assert node.methods.count("eth_blockNumber") >= 2


async def test_node_that_forgot_the_subscription_is_noticed_by_its_height(calm: CalmTime) -> None:
    async with scripted_node() as node, listening(node.url, msgspec.structs.replace(QUICK, idle_seconds=1.2)) as listener:
        node.replies["eth_blockNumber"] = lambda _: hex(16 + 3)
        await listener.until(lambda: bool(listener.told(Disconnected)))
        assert listener.told(Disconnected)[0].reason == "the node is at block 19 and told of none after 16"


async def test_malformed_messages_never_stop_the_stream() -> None:
    async with scripted_node() as node, listening(node.url) as listener:
        for message in (b"{", b"[]", b'{"id":"1","result":2}', b'{"id":9999,"result":2}', b"\x00" * 300):
            node.say(message)
        node.notify("newPendingTransactions", {"hash": 5})
        node.notify("newPendingTransactions", transaction(1))
        await listener.until(lambda: listener.nonces() == [1])
        assert sum(listener.feed.session.dropped.values()) == 6
        assert listener.told(Disconnected) == []


async def test_handler_that_raises_ends_the_feed_with_its_error() -> None:
    class Broken(Exception):
        pass

    def handler(event: object) -> None:
        if isinstance(event, HeadSeen):
            raise Broken

    async with scripted_node() as node:
        listener = Listener(node.url)
        listener.feed._handler = handler
        with pytest.raises(Broken):
            await listener.feed.run()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (b"401 Unauthorized", "HTTP 401: is the key right"),
        (b"503 Service Unavailable", "HTTP 503"),
        (b"302 Found\r\nLocation: ws://169.254.169.254/", "HTTP 302"),
        (b"banana", "does not speak websocket"),
    ],
)
async def test_refused_handshake_is_one_clear_error(status: bytes, reason: str) -> None:
    async with scripted_node() as node:
        node.status = status
        with pytest.raises(UpstreamError, match=reason):
            await Listener(node.url).feed.run()
        assert len(node.handshakes) == 1


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1", "http://127.0.0.1:1"])
async def test_refused_connection_says_so(url: str) -> None:
    with pytest.raises(UpstreamError, match=f"{url}.*connection refused"):
        await Listener(url).feed.run()


async def test_missing_socket_says_so() -> None:
    with pytest.raises(UpstreamError, match="no such socket"):
        await Listener("/nonexistent/geth.ipc").feed.run()


async def test_first_failure_ends_the_feed_but_a_later_one_is_tried_again() -> None:
    async with scripted_node() as node, listening(node.url) as listener:
        node.status = b"503 Service Unavailable"
        node.cut()
        await listener.until(lambda: len(node.handshakes) >= 4)
        node.status = b""
        await listener.until(lambda: listener.feed.connections == 2)


def test_scripted_node_would_notice_a_method_that_is_not_allowed() -> None:
    async def break_the_rule() -> None:
        async with scripted_node() as node:
            node.methods.append("eth_sendRawTransaction")

    with pytest.raises(AssertionError):
        asyncio.run(break_the_rule())
