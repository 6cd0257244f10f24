"""One node's JSON-RPC conversation without a socket: requests out as frames, frames in as events."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from mempool.errors import BadData, UpstreamError
from mempool.feeds import frames
from mempool.feeds.events import Answer, Dropped, HeadSeen, NodeEvent, PendingHash, PendingSeen, Purpose, RpcFailure
from mempool.feeds.targets import Targets
from mempool.model.block import BlockRef
from mempool.model.display import excerpt

ALLOWED_METHODS = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getBlockReceipts",
        "eth_getCode",
        "eth_getFilterChanges",
        "eth_getLogs",
        "eth_getStorageAt",
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
        "eth_newPendingTransactionFilter",
        "eth_simulateV1",
        "eth_subscribe",
        "eth_syncing",
        "eth_uninstallFilter",
        "eth_unsubscribe",
        "debug_traceCall",
        "net_version",
        "txpool_content",
        "txpool_inspect",
        "txpool_status",
        "web3_clientVersion",
    }
)
"""Everything this program ever asks of a node; none of it changes anything."""

MAX_OPEN_REQUESTS = 1_024
REQUEST_EXPIRY_NS = 10_000_000_000
MAX_EARLY_NOTIFICATIONS = 1_000
MAX_REMEMBERED_HASHES = 10_000


class Request(Struct, frozen=True, gc=False):
    """A request as it is sent; `frame` is its JSON text."""

    id: int
    method: str
    params: Sequence[object]
    purpose: Purpose
    sent_ns: int
    frame: bytes


class _Outgoing(Struct, gc=False):
    jsonrpc: str
    id: int
    method: str
    params: Sequence[object]


class _Failure(Struct, gc=False):
    code: int = 0
    message: str = ""


class _Notification(Struct, gc=False):
    subscription: str | int
    result: Raw


class _Incoming(Struct, gc=False):
    id: int | str | UnsetType | None = UNSET
    result: Raw | UnsetType = UNSET
    error: _Failure | None = None
    params: _Notification | None = None


_INCOMING = msgspec.json.Decoder(_Incoming)
_BODY = msgspec.json.Decoder(frames.TransactionBody)
_ENCODER = msgspec.json.Encoder()
_NOTIFICATION_START = b'{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"%s","result":{'
_TO = b'"to":"0x'
LONG_FRAME = 1_200
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class NodeSession:
    """Sans-I/O: the same requests and frames in the same order give the same events, live or replayed.

    A transaction that is none of `targets` is counted as foreign and yields no event; with None every one is an event.
    A message that is not what it must be yields `Dropped` and is counted by reason.
    """

    def __init__(self, source: str, targets: Targets | None = None) -> None:
        self.source = source
        self.seen = 0
        """Pending transactions and hashes announced, foreign ones too; neither bodies asked for nor back-fill."""
        self.foreign = 0
        self.dropped: Counter[str] = Counter()
        self.pending_subscription: str | int | None = None
        self.head_subscription: str | int | None = None
        self._targets = targets
        self._next_id = 1
        self._requests: dict[int, Request] = {}
        self._first_seen: OrderedDict[str, int] = OrderedDict()
        self._subscribing = 0
        self._last_head = ""
        self._early: list[tuple[str | int, bytes, int]] = []
        self._pending_start: bytes | None = None
        self._to_is_late = True
        self._meanings: dict[Purpose, Callable[[Answer], list[NodeEvent]]] = {
            Purpose.SUBSCRIBE: self._subscribed,
            Purpose.BODY: self._body,
            Purpose.BACKFILL: self._backfill,
            Purpose.HEAD: self._head,
            Purpose.POLL: self._poll,
        }

    @property
    def open_requests(self) -> int:
        return len(self._requests)

    def request(self, method: str, params: Sequence[object], purpose: Purpose = Purpose.READ, *, now_ns: int) -> Request:
        """The next request. Raises `UpstreamError` on a method that is not allowed, or with 1,024 open already."""
        if method not in ALLOWED_METHODS:
            raise UpstreamError(f"{method}: not one of the read-only methods that are allowed")
        if len(self._requests) >= MAX_OPEN_REQUESTS:
            raise UpstreamError(f"{self.source}: {MAX_OPEN_REQUESTS} requests are open already")
        frame = _ENCODER.encode(_Outgoing("2.0", self._next_id, method, params))
        request = Request(self._next_id, method, params, purpose, now_ns, frame)
        self.expect(request)
        return request

    def expect(self, request: Request) -> None:
        """Note that `request` has gone out: one of `request`, or one that a capture tells of."""
        self._next_id = request.id + 1
        self._requests[request.id] = request
        self._subscribing += request.purpose is Purpose.SUBSCRIBE

    def receive(self, frame: bytes, recv_ns: int) -> list[NodeEvent]:
        """What one message means; never raises on what a node may send."""
        start = self._pending_start
        if start is not None and frame.startswith(start):
            targets = self._targets
            if targets is not None:
                # Geth puts the calldata before `to`, anvil after it; to search through it costs more than the parse.
                at = frame.rfind(_TO) if self._to_is_late else frame.find(_TO, len(start))
                if len(frame) > LONG_FRAME:
                    self._to_is_late = 2 * at > len(frame)
                if at >= 0 and targets.are_missed_by(frame[at + 6 : at + 48], frame, len(start)):
                    self.seen += 1
                    self.foreign += 1
                    return []
            try:
                body = _BODY.decode(frame[len(start) - 1 : -2])
            except _UNREADABLE:
                pass  # the careful way below finds out what it is
            else:
                self.seen += 1
                return self._transaction(body, recv_ns, backfilled=False)
        return self._receive_any(frame, recv_ns)

    def overdue(self, now_ns: int) -> list[int]:
        """Ids of the requests that were sent more than 10 s ago."""
        return [request.id for request in self._requests.values() if now_ns - request.sent_ns > REQUEST_EXPIRY_NS]

    def fail(self, ids: Sequence[int], reason: str, now_ns: int) -> list[NodeEvent]:
        """End these requests without a result; answers that come later are dropped."""
        requests = [self._requests[number] for number in ids if number in self._requests]
        return [event for request in requests for event in self._end(request, None, RpcFailure(0, reason), now_ns)]

    def reset(self, reason: str, now_ns: int) -> list[NodeEvent]:
        """The connection is lost: ends every open request and forgets the subscriptions."""
        events = self.fail(tuple(self._requests), reason, now_ns)
        self.pending_subscription = self.head_subscription = self._pending_start = None
        self._subscribing = 0
        self._early.clear()
        self._last_head = ""
        self._first_seen.clear()
        return events

    def _receive_any(self, frame: bytes, recv_ns: int) -> list[NodeEvent]:
        try:
            message = _INCOMING.decode(frame)
        except _UNREADABLE as error:
            return [self._drop("not a JSON-RPC message", recv_ns, str(error))]
        if message.params is not None:
            return self._notified(message.params.subscription, bytes(message.params.result), recv_ns)
        if not isinstance(message.id, int):
            return [self._drop("an id that is not ours", recv_ns)]
        request = self._requests.get(message.id)
        if request is None:
            return [self._drop("an answer to nothing that was asked", recv_ns, str(message.id))]
        if message.error is not None:
            failure = RpcFailure(message.error.code, excerpt(message.error.message))
            return self._end(request, None, failure, recv_ns)
        if message.result is UNSET:
            return self._end(request, None, RpcFailure(0, "the answer has neither result nor error"), recv_ns)
        return self._end(request, bytes(message.result), None, recv_ns)

    def _end(self, request: Request, result: bytes | None, failure: RpcFailure | None, now_ns: int) -> list[NodeEvent]:
        del self._requests[request.id]
        answer = Answer(request.id, request.method, request.params, request.purpose, result, failure, now_ns, self.source)
        meaning = self._meanings.get(request.purpose)
        if meaning is None:
            return [answer]
        try:
            return [*meaning(answer), answer]
        except BadData as error:
            return [self._drop(f"bad {request.purpose} answer", now_ns, str(error)), answer]

    def _subscribed(self, answer: Answer) -> list[NodeEvent]:
        self._subscribing -= 1
        if answer.result is not None:
            self._confirm(answer.params[0], frames.parse_subscription(answer.result))
        early, self._early = self._early, []
        # While another subscription is open a stranger may still turn out to be its first notification.
        return [event for message in early for event in self._notified(*message)]

    def _confirm(self, kind: object, subscription: str | int) -> None:
        if kind == "newHeads":
            self.head_subscription = subscription
            return
        self.pending_subscription = subscription
        if isinstance(subscription, str):
            self._pending_start = _NOTIFICATION_START % subscription.encode()

    def _notified(self, subscription: str | int, result: bytes, recv_ns: int) -> list[NodeEvent]:
        try:
            if subscription == self.pending_subscription:
                return self._pending(result, recv_ns)
            if subscription == self.head_subscription:
                return [self._at_head(frames.parse_head(result), recv_ns)]
        except BadData as error:
            return [self._drop("bad notification", recv_ns, str(error))]
        if not self._subscribing:
            return [self._drop("an unknown subscription", recv_ns)]
        if len(self._early) >= MAX_EARLY_NOTIFICATIONS:
            return [self._drop("too many notifications before their subscription", recv_ns)]
        self._early.append((subscription, result, recv_ns))
        return []

    def _pending(self, result: bytes, recv_ns: int) -> list[NodeEvent]:
        self.seen += 1
        if result.startswith(b'"'):
            return [self._announced(frames.parse_hash(result), recv_ns)]
        return self._transaction(frames.parse_body(result), recv_ns, backfilled=False)

    def _announced(self, text: str, recv_ns: int) -> PendingHash:
        if len(self._first_seen) >= MAX_REMEMBERED_HASHES:
            self._first_seen.popitem(last=False)
        self._first_seen.setdefault(text, recv_ns)
        return PendingHash(text, recv_ns, self.source)

    def _transaction(self, body: frames.TransactionBody, recv_ns: int, *, backfilled: bool) -> list[NodeEvent]:
        if self._targets is not None and not self._targets.hold(body.to, body.input or body.data or ""):
            self.foreign += not backfilled
            return []
        try:
            return [PendingSeen(frames.pending_transaction(body, recv_ns, self.source), backfilled)]
        except BadData as error:
            return [self._drop("bad transaction", recv_ns, str(error))]

    def _body(self, answer: Answer) -> list[NodeEvent]:
        first_ns = self._first_seen.pop(str(answer.params[0]), answer.recv_ns)
        if answer.result is None:
            return []
        if answer.result == b"null":
            return [self._drop("a transaction that was gone before its body was fetched", answer.recv_ns)]
        return self._transaction(frames.parse_body(answer.result), first_ns, backfilled=False)

    def _backfill(self, answer: Answer) -> list[NodeEvent]:
        shown = answer.result if answer.method == "txpool_content" else None
        bodies = [] if shown is None else frames.parse_pool(shown)
        return [event for body in bodies for event in self._transaction(body, answer.recv_ns, backfilled=True)]

    def _head(self, answer: Answer) -> list[NodeEvent]:
        if answer.result is None:
            return []
        ref = frames.parse_head(answer.result)
        if ref.hash == self._last_head:
            return []
        return [self._at_head(ref, answer.recv_ns)]

    def _at_head(self, ref: BlockRef, recv_ns: int) -> HeadSeen:
        self._last_head = ref.hash
        return HeadSeen(ref, recv_ns, self.source)

    def _poll(self, answer: Answer) -> list[NodeEvent]:
        hashes = [] if answer.result is None else frames.parse_hashes(answer.result)
        self.seen += len(hashes)
        return [self._announced(text, answer.recv_ns) for text in hashes]

    def _drop(self, reason: str, recv_ns: int, detail: str = "") -> Dropped:
        self.dropped[reason] += 1
        return Dropped(reason, excerpt(detail), recv_ns, self.source)
