"""One standing connection to a node: every message stamped, captured and passed on at once, every request answered or failed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Sequence

from msgspec import Struct

from mempool.errors import RpcError, StoreError, UpstreamError
from mempool.feeds.capture import Asked, CaptureWriter, Expired
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.events import Answer, Connected, Disconnected, Handler, HeadSeen, NodeEvent, PendingHash, Purpose
from mempool.feeds.links import Link
from mempool.feeds.receive_clock import OVERTAKEN, ReceiveClock
from mempool.feeds.session import NodeSession, Request

MAX_BODIES = 64
MAX_WANTED_BODIES = 10_000
FLUSH_SECONDS = 1.0
MISSED_HEADS = 3
"""A node that is so many blocks ahead of what it told us has forgotten our subscription."""


class Watch(Struct, frozen=True):
    """How silence is noticed, in seconds; `expects_heads` where the node tells its heads by itself."""

    idle_seconds: float = 30
    tick_seconds: float = 0.25
    expects_heads: bool = True


class Outlet(Struct, frozen=True):
    """Where what is heard goes: the session that reads it, the handler of its events, and the capture."""

    endpoint: Endpoint
    session: NodeSession
    handler: Handler
    capture: CaptureWriter | None


class Connection:
    """Owns a link until `close`. `run` reads it; `ask` and `answer` write to it."""

    def __init__(self, link: Link, outlet: Outlet, watch: Watch) -> None:
        self._link, self._watch = link, watch
        self._endpoint, self._session = outlet.endpoint, outlet.session
        self._handler, self._capture = outlet.handler, outlet.capture
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._wanted: deque[str] = deque(maxlen=MAX_WANTED_BODIES)
        self._bodies = 0
        self._head_number = 0
        self._probe: int | None = None
        self._heard_at = self._head_at = self._probed_at = self._flushed_at = time.monotonic()
        self._clock, self._slept_ns = ReceiveClock(), 0
        now_ns = self._awake_ns = time.time_ns()
        if self._capture is not None:
            self._capture.up(now_ns, self._session.source)
        self._handler(Connected(now_ns, self._session.source))

    async def run(self) -> None:
        """Read until the link is lost. Raises `LinkLost`, and whatever the handler raises."""
        await first_end(self._read(), self._keep_watch())

    def ask(self, method: str, params: Sequence[object], purpose: Purpose) -> Request:
        """Send a request whose answer becomes events. Raises `UpstreamError` like `NodeSession.request`."""
        request = self._session.request(method, params, purpose, now_ns=time.monotonic_ns())
        if self._capture is not None:
            self._capture.asked(Asked(time.time_ns(), self._session.source, request.id, method, params, purpose))
        self._link.send(request.frame)
        return request

    async def answer(self, method: str, params: Sequence[object], purpose: Purpose = Purpose.READ) -> bytes:
        """Send a request and await its result. Raises `RpcError`, or `UpstreamError` where there is none."""
        request = self.ask(method, params, purpose)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        try:
            return await future
        finally:
            self._waiting.pop(request.id, None)

    async def close(self, reason: str) -> None:
        """Fail what is open, say so, and hang up. What the machine has slept through counts as lost."""
        now_ns = self._slept_ns or time.time_ns()
        if self._capture is not None:
            self._capture.down(now_ns, self._session.source, reason)
        self._pass_on(self._session.reset(reason, now_ns))
        self._handler(Disconnected(reason, now_ns, self._session.source))
        await self._link.close()

    def abort(self, reason: str) -> None:
        """End the link at once; `run` raises `LinkLost` with this reason."""
        self._link.abort(reason)

    async def _read(self) -> None:
        while True:
            frame = await self._link.receive()
            recv_ns = time.time_ns()
            frame = self._endpoint.scrub_frame(frame)
            if self._capture is not None:
                self._capture.heard(recv_ns, self._session.source, frame)
            self._pass_on(self._session.receive(frame, recv_ns))
            self._heard_at = time.monotonic()

    def _pass_on(self, events: list[NodeEvent]) -> None:
        for event in events:
            if type(event) is Answer:
                self._end(event)
            elif type(event) is HeadSeen:
                self._head_number, self._head_at = event.ref.number, time.monotonic()
            self._handler(event)
            if type(event) is PendingHash:
                self._wanted.append(event.hash)
                self._fetch_bodies()

    def _end(self, answer: Answer) -> None:
        future = self._waiting.pop(answer.id, None)
        if future is not None and not future.done():
            if answer.failure is None:
                future.set_result(answer.result or b"null")
            else:
                future.set_exception(failure_of(answer, self._endpoint))
        if answer.purpose is Purpose.BODY:
            self._bodies -= 1
            self._fetch_bodies()
        elif answer.id == self._probe:
            self._probe = None
            self._compare_heads(answer)

    def _fetch_bodies(self) -> None:
        while self._wanted and self._bodies < MAX_BODIES and not self._link.fault:
            self.ask("eth_getTransactionByHash", [self._wanted.popleft()], Purpose.BODY)
            self._bodies += 1

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(self._watch.tick_seconds)
            self._expire()
            if self._link.fault:
                self._link.abort(self._link.fault)
            self._check_sleep()
            self._check_silence(time.monotonic())

    def _expire(self) -> None:
        ids = self._session.overdue(time.monotonic_ns())
        if ids:
            entry = Expired(time.time_ns(), self._session.source, tuple(ids), "no answer in 10 s")
            if self._capture is not None:
                self._capture.expired(entry)
            self._pass_on(self._session.fail(ids, entry.reason, entry.recv_ns))

    def _check_sleep(self) -> None:
        if not self._clock.is_overtaken():
            self._awake_ns = time.time_ns()
        elif not self._slept_ns:
            self._slept_ns = self._awake_ns
            self._link.abort(OVERTAKEN)

    def _check_silence(self, now: float) -> None:
        idle = self._watch.idle_seconds
        if now - self._heard_at > idle:
            self._link.abort(f"no whole message in {idle:g} s")
        quiet = max(now - self._heard_at, now - self._head_at if self._watch.expects_heads else 0)
        if quiet > idle / 2 and now - self._probed_at > idle / 3 and self._probe is None:
            self._probed_at = now
            self._probe = self.ask("eth_blockNumber", [], Purpose.WATCH).id
        if self._capture is not None and now - self._flushed_at > FLUSH_SECONDS:
            self._flushed_at = now
            self._capture.flush()

    def _compare_heads(self, answer: Answer) -> None:
        number = block_number(answer.result)
        if self._watch.expects_heads and number is not None and number >= self._head_number + MISSED_HEADS:
            self._link.abort(f"the node is at block {number} and told of none after {self._head_number}")


def failure_of(answer: Answer, endpoint: Endpoint | None = None) -> UpstreamError:
    """The error that an answer without a result is to whoever awaits it."""
    failure = answer.failure
    if failure is None:
        raise AssertionError("the answer has a result")
    reason = failure.reason if endpoint is None else endpoint.scrub(failure.reason)
    if failure.code:
        return RpcError(answer.method, failure.code, reason)
    return UpstreamError(f"{answer.source}: {answer.method}: {reason}")


def block_number(result: bytes | None) -> int | None:
    """A quantity such as `"0x10"` in JSON, or None where it is not one."""
    try:
        return int((result or b"").strip(b'"'), 16)
    except ValueError:
        return None


async def first_end(*work: Coroutine[None, None, None]) -> None:
    """Run them side by side until one fails, then end the others.

    Raises what that one raised; or `StoreError` where another could not write in its end what it had accepted before.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, StoreError):
                raise ended
