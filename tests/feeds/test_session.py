"""The conversation with a node, bytes in and events out, against every way a node can get it wrong."""

from __future__ import annotations

import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mempool.errors import UpstreamError
from mempool.feeds.events import Answer, Dropped, HeadSeen, NodeEvent, PendingHash, PendingSeen, Purpose
from mempool.feeds.session import ALLOWED_METHODS, MAX_EARLY_NOTIFICATIONS, MAX_OPEN_REQUESTS, NodeSession
from mempool.feeds.targets import Targets
from tests.fakes.messages import (
    ROUTER,
    STRANGER,
    answer,
    block_hash,
    failure,
    head,
    notification,
    pool_content,
    transaction,
    transaction_hash,
)

SECOND = 10**9


TARGETS = Targets(frozenset({ROUTER.encode()}))


def subscribed(targets: Targets | None = TARGETS) -> NodeSession:
    session = NodeSession("n", targets)
    kinds: list[list[object]] = [["newHeads"], ["newPendingTransactions", True]]
    for number, kind in enumerate(kinds, start=1):
        session.request("eth_subscribe", kind, Purpose.SUBSCRIBE, now_ns=0)
        session.receive(answer(number, f"0x{number}"), 0)
    return session


def only(events: list[NodeEvent]) -> Any:
    (event,) = events
    return event


def test_request_is_a_frame_with_an_id_of_its_own() -> None:
    session = NodeSession("n")
    frames = [session.request("eth_call", [{"to": ROUTER}, "latest"], now_ns=0).frame for _ in range(2)]
    assert [orjson.loads(frame)["id"] for frame in frames] == [1, 2]
    assert orjson.loads(frames[0]) == {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": ROUTER}, "latest"]}


@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "eth_sign", "personal_unlockAccount", "anvil_mine", "eth_Call", ""])
def test_method_that_is_not_read_only_is_refused(method: str) -> None:
    with pytest.raises(UpstreamError, match="read-only"):
        NodeSession("n").request(method, [], now_ns=0)


def test_no_allowed_method_sends_or_signs() -> None:
    assert not [method for method in ALLOWED_METHODS if any(word in method.lower() for word in ("send", "sign", "set", "mine"))]


def test_full_body_becomes_a_pending_transaction() -> None:
    seen = only(subscribed().receive(notification("0x2", transaction(3)), 77))
    assert seen == PendingSeen(seen.tx)
    assert (seen.tx.hash, seen.tx.nonce, seen.tx.recv_ns, seen.tx.source) == (transaction_hash(3), 3, 77, "n")


@pytest.mark.parametrize("to", [STRANGER, None])
def test_transaction_to_another_contract_is_only_counted(to: str | None) -> None:
    session = subscribed()
    assert session.receive(notification("0x2", transaction(3, to)), 0) == []
    assert (session.seen, session.foreign) == (1, 1)


def test_order_of_the_fields_decides_nothing_but_the_time() -> None:
    calldata = {"input": "0x7ff36ab5" + "00" * 800}
    late, early = transaction(1) | calldata, {"to": ROUTER} | transaction(1) | calldata
    session = subscribed()
    for body in (late, late, early, early, late):
        assert isinstance(only(session.receive(notification("0x2", body), 0)), PendingSeen)
        assert session.receive(notification("0x2", body | {"to": STRANGER}), 0) == []
    assert (session.seen, session.foreign) == (10, 5)


def test_router_in_capitals_is_still_the_router() -> None:
    session = subscribed()
    assert isinstance(only(session.receive(notification("0x2", transaction(3, "0x" + ROUTER[2:].upper())), 0)), PendingSeen)


def test_transaction_to_a_stranger_is_an_event_where_its_function_is_looked_for() -> None:
    session = subscribed(Targets(frozenset({ROUTER.encode()}), frozenset({b"6a761202"})))
    for calldata, is_event in (("0x6A761202ff", True), ("0x6a761203", False), ("0x", False)):
        for body in (
            transaction(3, STRANGER) | {"input": calldata},
            {"input": calldata} | transaction(3, STRANGER, input=calldata),
        ):
            assert bool(session.receive(notification("0x2", body), 0)) is is_event, (calldata, body)


def test_without_targets_every_transaction_is_an_event() -> None:
    assert isinstance(only(subscribed(None).receive(notification("0x2", transaction(3, STRANGER)), 0)), PendingSeen)


def test_spaces_and_another_order_of_fields_change_nothing() -> None:
    session = subscribed()
    compact = notification("0x2", transaction(3))
    spaced = compact.replace(b'":', b'" : ')
    message = orjson.loads(compact)
    turned = orjson.dumps({key: message[key] for key in reversed(message)})
    assert session.receive(spaced, 0) == session.receive(compact, 0) == session.receive(turned, 0)
    assert session.seen == 3


def test_announced_hash_keeps_its_stamp_until_the_body_comes() -> None:
    session = subscribed()
    assert only(session.receive(notification("0x2", transaction_hash(3)), 77)) == PendingHash(transaction_hash(3), 77, "n")
    request = session.request("eth_getTransactionByHash", [transaction_hash(3)], Purpose.BODY, now_ns=0)
    seen, done = session.receive(answer(request.id, transaction(3)), 99)
    assert isinstance(seen, PendingSeen)
    assert isinstance(done, Answer)
    assert seen.tx.recv_ns == 77


def test_body_that_is_gone_is_counted() -> None:
    session = subscribed()
    request = session.request("eth_getTransactionByHash", [transaction_hash(3)], Purpose.BODY, now_ns=0)
    assert isinstance(session.receive(answer(request.id, None), 0)[0], Dropped)
    assert session.dropped == {"a transaction that was gone before its body was fetched": 1}


def test_head_becomes_a_block_reference() -> None:
    seen = only(subscribed().receive(notification("0x1", head(16)), 5))
    assert isinstance(seen, HeadSeen)
    assert (seen.ref.number, seen.ref.hash, seen.ref.parent_hash) == (16, block_hash(16), block_hash(15))


def test_head_that_is_asked_for_is_told_once() -> None:
    session = subscribed()
    told: list[NodeEvent] = []
    for _ in range(3):
        request = session.request("eth_getBlockByNumber", ["latest", False], Purpose.HEAD, now_ns=0)
        told += session.receive(answer(request.id, head(16)), 5)
    assert sum(isinstance(event, HeadSeen) for event in told) == 1


def test_back_fill_tells_pending_and_queued_transactions_of_routers() -> None:
    session = subscribed()
    request = session.request("txpool_content", [], Purpose.BACKFILL, now_ns=0)
    content = pool_content(1, 2, queued=(9,))
    content["pending"][STRANGER] = {"0": transaction(50, STRANGER)}
    events = session.receive(answer(request.id, content), 5)
    assert [(event.tx.nonce, event.backfilled) for event in events if isinstance(event, PendingSeen)] == [
        (1, True),
        (2, True),
        (9, True),
    ]
    assert (session.seen, session.foreign) == (0, 0)


def test_one_bad_transaction_does_not_cost_the_others_of_the_back_fill() -> None:
    session = subscribed()
    request = session.request("txpool_content", [], Purpose.BACKFILL, now_ns=0)
    content = pool_content(1, 2, 3)
    sender = next(iter(content["pending"]))
    content["pending"][sender]["2"]["input"] = "0x123"
    kinds = [type(event) for event in session.receive(answer(request.id, content), 5)]
    assert kinds == [PendingSeen, Dropped, PendingSeen, Answer]


def test_error_answer_ends_its_request_with_the_reason() -> None:
    session = subscribed()
    request = session.request("eth_call", [], now_ns=0)
    done = only(session.receive(failure(request.id, -32000, "header not found\x1b[31m"), 0))
    assert done.failure.code == -32000
    assert done.failure.reason == "header not found\ufffd[31m"


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "not a JSON-RPC message"),
        (b"{", "not a JSON-RPC message"),
        (b"\xff\xfe", "not a JSON-RPC message"),
        (b"[]", "not a JSON-RPC message"),
        (b"NaN", "not a JSON-RPC message"),
        (b"[" * 1_000_000, "not a JSON-RPC message"),
        (b'{"id":' + b"[" * 1_000_000, "not a JSON-RPC message"),
        (b'{"id":1e999}', "not a JSON-RPC message"),
        (b'{"id":' + b"9" * 5_000 + b',"result":1}', "not a JSON-RPC message"),
        (b'{"id":"1","result":1}', "an id that is not ours"),
        (b'{"id":null,"error":{"code":-32600,"message":"x"}}', "an id that is not ours"),
        (b"{}", "an id that is not ours"),
        (b'{"id":99,"result":1}', "an answer to nothing that was asked"),
        (b'{"id":-1,"result":1}', "an answer to nothing that was asked"),
        (notification("0x99", "x"), "an unknown subscription"),
        (notification("0x2", 5), "bad notification"),
        (notification("0x2", {"hash": "0x1"}), "bad notification"),
        (notification("0x2", transaction(1, ROUTER, value="-0x1")), "bad transaction"),
        (notification("0x1", None), "bad notification"),
        (notification("0x1", {"number": "0x1"}), "bad notification"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_message_of_no_use_is_dropped_and_counted_by_reason(frame: bytes, reason: str) -> None:
    session = subscribed()
    assert isinstance(only(session.receive(frame, 0)), Dropped)
    assert session.dropped == {reason: 1}
    assert isinstance(only(session.receive(notification("0x2", transaction(3)), 0)), PendingSeen)


def test_second_answer_to_one_request_is_dropped() -> None:
    session = subscribed()
    request = session.request("eth_chainId", [], now_ns=0)
    assert isinstance(only(session.receive(answer(request.id, "0x1"), 0)), Answer)
    assert isinstance(only(session.receive(answer(request.id, "0x1"), 0)), Dropped)


def test_answer_without_result_or_error_fails_its_request() -> None:
    session = subscribed()
    request = session.request("eth_chainId", [], now_ns=0)
    assert only(session.receive(b'{"id":%d}' % request.id, 0)).failure.code == 0


def test_hundred_thousand_wrong_messages_leave_nothing_behind() -> None:
    session = subscribed()
    for number in range(10, 100_010):
        session.receive(b'{"id":%d,"result":"0x1"}' % number, 0)
    assert session.open_requests == 0
    assert session.dropped == {"an answer to nothing that was asked": 100_000}


def test_open_requests_are_bounded() -> None:
    session = NodeSession("n")
    for _ in range(MAX_OPEN_REQUESTS):
        session.request("eth_chainId", [], now_ns=0)
    with pytest.raises(UpstreamError, match="1024 requests are open"):
        session.request("eth_chainId", [], now_ns=0)


def test_request_without_an_answer_expires_after_ten_seconds() -> None:
    session = NodeSession("n")
    late = session.request("eth_chainId", [], now_ns=0)
    session.request("eth_chainId", [], now_ns=5 * SECOND)
    assert session.overdue(10 * SECOND) == []
    assert session.overdue(10 * SECOND + 1) == [late.id]
    assert only(session.fail([late.id], "no answer in 10 s", 0)).failure.reason == "no answer in 10 s"
    assert isinstance(only(session.receive(answer(late.id, "0x1"), 0)), Dropped)
    assert session.open_requests == 1


def test_notifications_before_the_subscription_reply_are_kept_in_order() -> None:
    session = NodeSession("n", TARGETS)
    session.request("eth_subscribe", ["newPendingTransactions", True], Purpose.SUBSCRIBE, now_ns=0)
    for nonce in range(MAX_EARLY_NOTIFICATIONS):
        assert session.receive(notification("0x7", transaction(nonce)), nonce) == []
    assert isinstance(only(session.receive(notification("0x7", transaction(5_000)), 0)), Dropped)
    events = session.receive(answer(1, "0x7"), 9_999)
    seen = [(event.tx.nonce, event.tx.recv_ns) for event in events if isinstance(event, PendingSeen)]
    assert seen == [(nonce, nonce) for nonce in range(MAX_EARLY_NOTIFICATIONS)]
    assert session.seen == MAX_EARLY_NOTIFICATIONS


def test_early_notification_of_the_other_subscription_is_kept_until_its_reply() -> None:
    session = NodeSession("n", TARGETS)
    session.request("eth_subscribe", ["newHeads"], Purpose.SUBSCRIBE, now_ns=0)
    session.request("eth_subscribe", ["newPendingTransactions", True], Purpose.SUBSCRIBE, now_ns=0)
    session.receive(notification("0xb", transaction(1)), 1)
    session.receive(notification("0xa", head(16)), 2)
    session.receive(notification("0xc", "from before the reconnect"), 3)
    assert [type(event) for event in session.receive(answer(1, "0xa"), 4)] == [HeadSeen, Answer]
    assert [type(event) for event in session.receive(answer(2, "0xb"), 5)] == [PendingSeen, Dropped, Answer]
    assert session.dropped == {"an unknown subscription": 1}


def test_refused_subscription_leaves_no_early_notification_behind() -> None:
    session = NodeSession("n")
    session.request("eth_subscribe", ["newPendingTransactions", True], Purpose.SUBSCRIBE, now_ns=0)
    session.receive(notification("0x7", transaction(1)), 1)
    assert [type(event) for event in session.receive(failure(1, -32602, "no"), 2)] == [Dropped, Answer]


def test_lost_connection_fails_what_is_open_and_forgets_the_subscriptions() -> None:
    session = subscribed()
    session.request("eth_chainId", [], now_ns=0)
    session.request("eth_subscribe", ["newHeads"], Purpose.SUBSCRIBE, now_ns=0)
    ended = session.reset("gone", 5)
    assert [event.failure.reason for event in ended if isinstance(event, Answer) and event.failure] == ["gone", "gone"]
    assert session.open_requests == 0
    assert isinstance(only(session.receive(notification("0x2", transaction(3)), 0)), Dropped)


def test_ids_go_on_after_a_reconnect() -> None:
    session = subscribed()
    session.reset("gone", 5)
    assert session.request("eth_chainId", [], now_ns=0).id == 3


def test_subscription_with_a_number_for_an_id_works() -> None:
    session = NodeSession("n", TARGETS)
    session.request("eth_subscribe", ["newPendingTransactions", True], Purpose.SUBSCRIBE, now_ns=0)
    session.receive(answer(1, 12), 0)
    message = orjson.loads(notification("", transaction(1)))
    message["params"]["subscription"] = 12
    assert isinstance(only(session.receive(orjson.dumps(message), 0)), PendingSeen)


FRAME = notification("0x2", transaction(3))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(FRAME) - 1), st.binary(max_size=4), st.integers(0, 20))
def test_mutated_frame_never_raises(at: int, inserted: bytes, removed: int) -> None:
    session = subscribed(None)
    session.request("eth_getBlockByNumber", [], Purpose.HEAD, now_ns=0)
    events = session.receive(FRAME[:at] + inserted + FRAME[at + removed :], 0)
    assert all(isinstance(event, PendingSeen | PendingHash | HeadSeen | Answer | Dropped) for event in events)


@pytest.mark.parametrize("place", ["notification", "answer", "pool", "head"])
def test_four_megabytes_of_empty_objects_are_not_built(place: str) -> None:
    bomb = b"[" + b"{}," * 1_300_000 + b"{}]"
    session = subscribed()
    purpose = {"pool": Purpose.BACKFILL, "head": Purpose.HEAD}.get(place, Purpose.READ)
    request = session.request("eth_call", [], purpose, now_ns=0)
    start = b'{"id":%d,"result":' % request.id if place != "notification" else b'{"params":{"subscription":"0x2","result":'
    frame = start + bomb + b"}" * (1 + (place == "notification"))
    tracemalloc.start()
    try:
        session.receive(frame, 0)
        assert tracemalloc.get_traced_memory()[1] <= 64 << 20
    finally:
        tracemalloc.stop()
