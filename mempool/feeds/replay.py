"""A capture played as if it were the nodes: the same frames through the same session, each answer to its request.

How a replay comes to the same state as the run that was recorded:

1. State changes in two places only: in the handler, called for every event in the order of the capture, and at marks.
2. A run that applies the result of an asynchronous read writes a mark at that moment. The replay stops at the mark and
   awaits `on_mark`, which has to wait for the same read and apply it; nothing later is played before it returns.
3. A read in a replay asks by `request` as in the run. Answers have no time of their own: one is handed over as soon as both
   its recorded place has been passed and somebody has asked for it, whichever comes last. Requests are told apart by method
   and parameters; equal ones are served in the order in which the recorded ones were answered.
4. A request that failed in the run (an error, a lost connection, no answer in time, no connection) fails alike.

So a read begun in the handler of the same event asks the same questions and gets the same answers, at its mark at the latest.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Sequence

import msgspec
from msgspec import Struct

from mempool.errors import CaptureError, UpstreamError
from mempool.feeds.capture import Asked, CaptureReader, Down, Entry, Expired, Heard, Mark, Refused, Up
from mempool.feeds.connection import failure_of
from mempool.feeds.events import Answer, Connected, Disconnected, Handler, NodeEvent, Purpose
from mempool.feeds.session import NodeSession, Request
from mempool.feeds.targets import Targets

MARK_SECONDS = 30.0
ENTRIES_A_BREATH = 32

OnMark = Callable[[Mark], Coroutine[None, None, None]]
Breath = Callable[[], Coroutine[None, None, None]]
"""Called now and then between entries, so that others may run, and slower ones catch up."""
Others = Callable[[Entry], bool]
"""Plays an entry where it is of another feed than a node's, and says whether it was."""
Outcome = bytes | UpstreamError


class ReplayOptions(Struct, frozen=True):
    """What a replay is about beside its events; `breathe` is called now and then between entries."""

    targets: Targets | None = None
    breathe: Breath = lambda: asyncio.sleep(0)
    others: Others = lambda entry: False


class ReplayFeed:
    """`run` plays the capture once, to its end; `request` stands in for the nodes'."""

    def __init__(
        self,
        reader: CaptureReader,
        handler: Handler,
        on_mark: OnMark,
        options: ReplayOptions = ReplayOptions(),  # noqa: B008 - frozen
    ) -> None:
        self.sessions: dict[str, NodeSession] = {}
        self._reader, self._handler, self._on_mark, self._options = reader, handler, on_mark, options
        self._unclaimed: defaultdict[bytes, deque[Outcome]] = defaultdict(deque)
        self._waiting: defaultdict[bytes, deque[asyncio.Future[bytes]]] = defaultdict(deque)
        self._ended = False

    async def run(self) -> None:
        """Raises `CaptureError` where the capture cannot be read on, and whatever the handler or `on_mark` raises.

        Requests that are still open at the end fail with `UpstreamError`.
        """
        options = self._options
        try:
            for number, entry in enumerate(self._reader):
                if not options.others(entry):
                    if isinstance(entry, Mark):
                        await self._stop_at(entry)
                    else:
                        self._play(entry)
                if number % ENTRIES_A_BREATH == 0:
                    await options.breathe()
        finally:
            self._end()

    async def request(self, method: str, params: Sequence[object], source: str = "") -> bytes:
        """The recorded result. Raises what the recorded request raised, or `UpstreamError` where the capture ends without it."""
        key = _key(method, params)
        unclaimed = self._unclaimed[key]
        if unclaimed:
            outcome = unclaimed.popleft()
            if isinstance(outcome, UpstreamError):
                raise outcome
            return outcome
        if self._ended:
            raise UpstreamError(f"{method}: the capture holds no answer")
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(future)
        return await future

    def _session(self, source: str) -> NodeSession:
        if source not in self.sessions:
            self.sessions[source] = NodeSession(source, self._options.targets)
        return self.sessions[source]

    def _play(self, entry: Entry) -> None:
        if isinstance(entry, Mark):
            return
        session = self._session(entry.source)
        match entry:
            case Heard(recv_ns, _, frame):
                self._pass_on(session.receive(frame, recv_ns))
            case Asked(_, _, id, method, params, purpose):
                session.expect(Request(id, method, params, purpose, 0, b""))
            case Refused(_, source, method, params, reason):
                self._deliver(_key(method, params), UpstreamError(f"{source}: {method}: {reason}"))
            case Expired(recv_ns, _, ids, reason):
                self._pass_on(session.fail(ids, reason, recv_ns))
            case Up(recv_ns, source):
                self._handler(Connected(recv_ns, source))
            case Down(recv_ns, source, reason):
                self._pass_on(session.reset(reason, recv_ns))
                self._handler(Disconnected(reason, recv_ns, source))

    def _pass_on(self, events: list[NodeEvent]) -> None:
        for event in events:
            if type(event) is Answer and event.purpose is Purpose.READ:
                outcome = failure_of(event) if event.failure is not None else event.result or b"null"
                self._deliver(_key(event.method, event.params), outcome)
            self._handler(event)

    def _deliver(self, key: bytes, outcome: Outcome) -> None:
        waiting = self._waiting[key]
        while waiting:
            future = waiting.popleft()
            if not future.done():
                _resolve(future, outcome)
                return
        self._unclaimed[key].append(outcome)

    async def _stop_at(self, mark: Mark) -> None:
        task = asyncio.ensure_future(self._on_mark(mark))
        done, _ = await asyncio.wait([task], timeout=MARK_SECONDS)
        if not done:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            reason = f"the mark {mark.name} {mark.key} waits for an answer that does not stand before it"
            raise CaptureError(self._reader.path, self._reader.line, reason)
        task.result()

    def _end(self) -> None:
        self._ended = True
        self._reader.close()
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_exception(UpstreamError("the capture ends before the answer"))


def _resolve(future: asyncio.Future[bytes], outcome: Outcome) -> None:
    if isinstance(outcome, UpstreamError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _key(method: str, params: Sequence[object]) -> bytes:
    return msgspec.json.encode((method, params), order="deterministic")
