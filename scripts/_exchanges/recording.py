"""Real books: a venue that plays a recording of its own frames, as they were and at their pace, to each client from the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mempool.errors import BadData
from mempool.exchanges import EXCHANGES
from mempool.feeds.frame_file import read_frames
from scripts._exchanges.book import SimulatedBook
from scripts._exchanges.dialects import DIALECTS
from scripts._exchanges.listings import MILLISECOND_NS
from scripts._exchanges.market import Waves
from scripts._exchanges.venue import HEARTBEAT_NS, Answer, Client, Dialect, Outgoing, Said, Venue

STEP_NS = 10 * MILLISECOND_NS
UNSTAMPED_NS = 50 * MILLISECOND_NS
"""Between frames whose times were not recorded."""


class Recording(Struct, frozen=True):
    """Frames with their times since the first one, in nanoseconds, and the answers to REST requests that stood among them."""

    name: str
    frames: Sequence[tuple[int, bytes]]
    answers: Sequence[tuple[int, bytes]]


def read_recording(venue: str, path: Path) -> Recording:
    """Lines of `<recv_ns> <frame>` or bare frames, compressed with gzip or not.

    Raises `UsageError` where the file cannot be opened, `BadData` where it is broken or holds no frame.
    """
    exchange = EXCHANGES[venue]
    frames: list[tuple[int, bytes]] = []
    answers: list[tuple[int, bytes]] = []
    start_ns = passed_ns = 0
    for stamp_ns, frame in read_frames(path, exchange.limits.max_frame_bytes):
        start_ns = start_ns or stamp_ns
        passed_ns = max(passed_ns, stamp_ns - start_ns) if stamp_ns else passed_ns + UNSTAMPED_NS
        is_answer = exchange.rest is not None and exchange.rest.is_answer(frame)
        (answers if is_answer else frames).append((passed_ns, frame))
    if not frames:
        raise BadData(f"{path}: there is no frame in it")
    return Recording(path.name, frames, answers)


class RecordedVenue(Venue):
    """Has no books of its own; `played_ns` is how far the latest client has heard."""

    def __init__(self, name: str, recording: Recording, start_ns: int) -> None:
        super().__init__(name, (), Waves(0), 0, start_ns)
        self.recording = recording
        self.played_ns = 0
        self._start_ns = start_ns
        self._next_ns = start_ns + STEP_NS

    @property
    def due_ns(self) -> int:
        return self._next_ns

    def step(self) -> Said:
        self.now_ns = self._next_ns
        self._next_ns += STEP_NS
        self.beats = (self.now_ns - self._start_ns) // HEARTBEAT_NS
        return _play

    def skip_to(self, now_ns: int) -> None:
        self._next_ns = max(self._next_ns, now_ns)


class RecordedClient(Client):
    """Whatever it asks for, it hears the recording, and is cut off at its end; only its pings are answered by themselves."""

    def __init__(self, venue: RecordedVenue) -> None:
        super().__init__(venue)
        self.recorded = venue
        self._usual = DIALECTS[venue.name].client(venue)
        self._frames = iter(venue.recording.frames)
        self._next: tuple[int, bytes] | None = next(self._frames)
        self._start_ns: int | None = None

    def opened(self, target: str) -> Iterable[Outgoing]:
        """Streams that come with the URL need no more words."""
        if "stream" in target:
            self._start_ns = self.venue.now_ns
        return ()

    def heard(self, frame: bytes) -> Iterable[Outgoing]:
        if self._start_ns is None:
            self._start_ns = self.venue.now_ns
        request = self.request(frame)
        is_ping = frame == b"ping" or "ping" in (request.get("op"), request.get("method"))
        return self._usual.heard(frame) if is_ping else ()

    def changed(self, book: SimulatedBook) -> Iterable[Outgoing]:
        """There is none."""
        return ()

    def play(self) -> Iterator[Outgoing]:
        """What is due by now."""
        if self._start_ns is None:
            return
        while self._next is not None and self._next[0] <= self.venue.now_ns - self._start_ns:
            self.recorded.played_ns = self._next[0]
            yield Outgoing(self._next[1])
            self._next = next(self._frames, None)
            if self._next is None:
                yield Outgoing(b"", closes=True)


def dialect_of(venue: Venue) -> Dialect:
    """Its own, or the recording's words."""
    usual = DIALECTS[venue.name]
    if isinstance(venue, RecordedVenue):
        return replace(usual, client=_recorded_client, rest=_rest if usual.rest is not None else None)
    return usual


def _recorded_client(venue: Venue) -> Client:
    assert isinstance(venue, RecordedVenue)
    return RecordedClient(venue)


def _rest(venue: Venue, target: str) -> Answer:
    """The latest answer before what has been played, else the first."""
    assert isinstance(venue, RecordedVenue)
    answers = venue.recording.answers
    earlier = [body for passed_ns, body in answers if passed_ns <= venue.played_ns] or [body for _, body in answers[:1]]
    return Answer(200, earlier[-1]) if earlier else Answer(404, b'{"code":-1121,"msg":"No snapshot was recorded."}')


def _play(client: Client) -> Iterable[Outgoing]:
    return client.play() if isinstance(client, RecordedClient) else ()
