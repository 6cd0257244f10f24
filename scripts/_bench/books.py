"""A venue's frame to the verified best quote, beside cryptofeed's and ccxt.pro's handlers of the same frames."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from scripts._bench.books_frames import Recording, binance, binance_diffs, kraken
from scripts._bench.books_loopback import loopback
from scripts._bench.environment import HERE, environment
from scripts._bench.figures import OURS, Figure, Options, Row, Section, Tail

ROUNDS, QUICK_ROUNDS, QUICK_FRAMES = 7, 1, 200
WORKER = HERE / "books_worker.py"
CHECKED, UNCHECKED, CCXT = "cryptofeed checked", "cryptofeed", "ccxt.pro"
LOCKS = {CHECKED: "cryptofeed", UNCHECKED: "cryptofeed", CCXT: "ccxt"}
"""The environment and the lock of each peer."""


Times = tuple[float, Sequence[int]]


class Contest(Struct, frozen=True):
    """Handlers of the same frames; `expected` are the ratios to peers that ours should reach."""

    work: str
    recording: Callable[[Path], Recording]
    peers: tuple[str, ...] = ()
    expected: Mapping[str, float] = {}
    limits: Mapping[str, float] = {}
    rounds: int = ROUNDS


CONTESTS = (
    # 1.3 times the time of the one that verifies nothing, and a quarter of the one that does.
    Contest("Kraken, CRC32 checked", kraken, (UNCHECKED, CHECKED), {UNCHECKED: 0.77, CHECKED: 4.0}, rounds=31),
    Contest("Binance diff", binance_diffs, (CCXT, UNCHECKED), {CCXT: 3.0}, {"p999": 1_000}, rounds=5),
    Contest("Binance diff or bookTicker", binance),
)


class Worker:
    """A library's handler in its own process."""

    def __init__(self, process: subprocess.Popen[str], name: str, recording: Mapping[str, Any]) -> None:
        self.name, self._process = name, process
        said = self._ask(recording)
        self.version, self.note = said["version"], said["note"]

    def times(self) -> Times:
        """Of a drive through all frames the processor seconds, and of one more the nanoseconds of each timed frame."""
        seconds, spent = self._ask("times")
        return seconds, spent

    def quotes(self) -> list[list[float]]:
        return list(self._ask("quotes"))

    def _ask(self, what: object) -> Any:
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("the worker was started without pipes")
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name}: its worker ended")
        return json.loads(answer)


def measure(options: Options) -> list[Section]:
    return [recorded(options), loopback(quick=options.quick)]


def recorded(options: Options) -> Section:
    """The handlers over the recordings; without rows where there are none."""
    title = "order books: recorded frame -> best bid and offer, microseconds a frame"
    if options.frames is None or not options.frames.is_dir():
        return Section(title, "frame", (), ("the recorded frames are not beside the checkout: name their folder with --frames",))
    raced = [_race(contest, contest.recording(options.frames), quick=options.quick) for contest in CONTESTS]
    told = dict.fromkeys(note for _, notes in raced for note in notes)
    about = "mean: processor time, the rest by the clock; each the median of the rounds; the collector as each library leaves it"
    return Section(title, "frame", tuple(row for row, _ in raced), (about, *told))


def _race(contest: Contest, recording: Recording, *, quick: bool) -> tuple[Row, list[str]]:
    """The handlers in turn, each in its own process: two drives through all frames a round."""
    rounds, frames = (QUICK_ROUNDS, QUICK_FRAMES) if quick else (contest.rounds, None)
    notes: list[str] = []
    with contextlib.ExitStack() as running:
        workers = []
        for name in (OURS, *(() if quick else contest.peers)):
            python = sys.executable if name == OURS else environment(LOCKS[name], HERE / f"{LOCKS[name]}.lock")
            if isinstance(python, str) and name != OURS:
                notes.append(python)
                continue
            workers.append(running.enter_context(_worker(name, str(python), recording.for_worker(frames))))
        spent: dict[str, list[Times]] = {worker.name: [] for worker in workers}
        for number in range(rounds + 1):
            for worker in workers:
                times = worker.times()
                if number:  # The first round warms up.
                    spent[worker.name].append(times)
        notes += _agreement(workers)
    if quick and contest.peers:
        notes.append("peers are not measured with --quick")
    return _row(contest, spent), notes


def _row(contest: Contest, spent: Mapping[str, Sequence[Times]]) -> Row:
    """The means are of processor time, that a busy neighbour hardly changes."""
    figures = [Figure(name, tuple([seconds / len(each) for seconds, each in rounds])) for name, rounds in spent.items()]
    tails = {name: Tail.of(each for _, each in rounds) for name, rounds in spent.items()}
    return Row(contest.work, tuple(figures), contest.expected, tails, contest.limits)


def _agreement(workers: Sequence[Worker]) -> Iterator[str]:
    """In how many frames a peer's book had our best prices; and what is to be known of it."""
    own = workers[0].quotes()
    for worker in workers[1:]:
        same = sum(theirs == ours for theirs, ours in zip(worker.quotes(), own, strict=True))
        yield f"{worker.name} {worker.version}: the same best prices as {OURS} after {same:,} of {len(own):,} frames"
        if worker.note:
            yield f"{worker.name} {worker.version}: {worker.note}"


@contextlib.contextmanager
def _worker(name: str, python: str, recording: Mapping[str, Any]) -> Iterator[Worker]:
    # Ours runs in this environment; a peer's sees nothing but its own.
    command = (python, *(() if name == OURS else ("-I",)), str(WORKER), name)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Worker(process, name, recording)
        finally:
            process.kill()
