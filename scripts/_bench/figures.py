"""Interleaved measurements: each contestant once a round, medians over the rounds, and what is printed of them."""

from __future__ import annotations

import gc
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

from msgspec import Struct
from msgspec.structs import asdict, astuple
from rich.console import Console
from rich.table import Table

OURS = "mempool"
PEERS = ("web3", "eth-abi", "websockets", "uvloop", "msgspec")


class Options(Struct, frozen=True):
    """`quick` shows that all runs and measures nothing; `capture` is another one than the bundled, `blocks` are block files.

    `frames` is the folder of recorded exchange frames.
    """

    quick: bool = False
    capture: Path | None = None
    blocks: tuple[Path, ...] = ()
    frames: Path | None = None


class Contestant(Struct, frozen=True):
    """`prepare` gets ready for one round, outside the time; `run` then does `count` pieces of the work.

    For one that works in another process `seconds` does them there, and says how long it took.
    """

    name: str
    run: Callable[[], object]
    count: int
    prepare: Callable[[], object] = lambda: None
    seconds: Callable[[], float] | None = None


class Figure(Struct, frozen=True):
    """Seconds for one piece of work, one figure a round."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.seconds)


class Tail(Struct, frozen=True):
    """How long single pieces of work take by the clock, in microseconds."""

    p50: float
    p99: float
    p999: float
    max: float

    @classmethod
    def of(cls, rounds: Iterable[Sequence[int]]) -> Tail:
        """From each round's nanoseconds a piece: the median of the rounds' figures: one disturbed round does not count."""
        return cls(*map(median, zip(*map(_percentiles_us, rounds), strict=True)))


def _percentiles_us(nanoseconds: Sequence[int]) -> tuple[float, ...]:
    """p50, p99, p99.9 and the most."""
    ordered = sorted(nanoseconds)
    picked = [ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.99, 0.999, 1)]
    return tuple([each / 1_000 for each in picked])


class Row(Struct, frozen=True):
    """One piece of work: ours and what stands beside it; `expected` are the ratios to peers that ours should reach.

    With `tails`, by contestant, these are shown beside the medians; `limits` are microseconds that figures of our tail should
    stay below.
    """

    work: str
    figures: tuple[Figure, ...]
    expected: Mapping[str, float] = {}
    tails: Mapping[str, Tail] = {}
    limits: Mapping[str, float] = {}

    @property
    def ours(self) -> Figure:
        return self.figures[0]


class Section(Struct, frozen=True):
    """What one benchmark shows. `unit` is a piece of its work."""

    title: str
    unit: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def race(contestants: Iterable[Contestant], rounds: int) -> tuple[Figure, ...]:
    """CPU seconds of this process for one piece of work: a busy neighbour takes the clock's time, but hardly ours.

    The first round warms everything up and is not counted.
    """
    contestants = tuple(contestants)
    seconds: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds + 1):
        for contestant in contestants:
            contestant.prepare()
            gc.collect()
            spent = (contestant.seconds or _seconds_of(contestant.run))()
            if number:
                seconds[contestant.name].append(spent / contestant.count)
    return tuple(Figure(name, tuple(measured)) for name, measured in seconds.items())


def _seconds_of(run: Callable[[], object]) -> Callable[[], float]:
    def seconds() -> float:
        started = time.process_time()
        run()
        return time.process_time() - started

    return seconds


def ratios(ours: Figure, peer: Figure) -> tuple[float, float, float]:
    """How many times longer the peer takes: of the medians, and the least and the most of any round."""
    by_round = [theirs / own for own, theirs in zip(ours.seconds, peer.seconds, strict=True)]
    return peer.median / ours.median, min(by_round), max(by_round)


def machine() -> dict[str, str]:
    """Where the figures come from."""
    models = [line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "cpus": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PEERS},
    }


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.is_file() else []


def show(sections: Sequence[Section], about: Mapping[str, str]) -> None:
    console = Console(width=None if os.isatty(1) else 130)
    console.print(", ".join(f"{name} {value}" for name, value in about.items()), highlight=False, soft_wrap=True)
    for section in sections:
        if section.rows:
            console.print(_tails_table(section) if section.rows[0].tails else _table(section))
        for note in section.notes:
            console.print(f"  {note}", highlight=False, soft_wrap=True)


def _table(section: Section) -> Table:
    table = Table(title=section.title, title_justify="left", title_style="bold")
    for heading in ("work", f"{OURS}, us a {section.unit}", "beside", "us", "times ours (rounds)", "expected"):
        table.add_column(heading, justify="left" if heading in ("work", "beside") else "right")
    for row in section.rows:
        own = f"{row.ours.median * 1e6:.2f} ({min(row.ours.seconds) * 1e6:.2f} to {max(row.ours.seconds) * 1e6:.2f})"
        peers = row.figures[1:]
        if not peers:
            table.add_row(row.work, own, "", "", "", "")
        for number, peer in enumerate(peers):
            middle, least, most = ratios(row.ours, peer)
            spread = f"{middle:.1f} ({least:.1f} to {most:.1f})"
            cells = (peer.name, f"{peer.median * 1e6:.1f}", spread, _verdict(row, peer, middle))
            table.add_row(*(("", "") if number else (row.work, own)), *cells)
    return table


def _tails_table(section: Section) -> Table:
    table = Table(title=section.title, title_justify="left", title_style="bold")
    for heading in ("work", "handler", "mean", "p50", "p99", "p99.9", "max", "times ours (rounds)", "expected"):
        table.add_column(heading, justify="left" if heading in ("work", "handler") else "right")
    for row in section.rows:
        for figure in row.figures:
            cells = [f"{each:.1f}" for each in (figure.median * 1e6, *astuple(row.tails[figure.name]))]
            if figure is row.ours:
                table.add_row(row.work, figure.name, *cells, "", _within(row))
                continue
            middle, least, most = ratios(row.ours, figure)
            table.add_row("", figure.name, *cells, f"{middle:.2f} ({least:.2f} to {most:.2f})", _verdict(row, figure, middle))
    return table


def _within(row: Row) -> str:
    """Whether our own tail stays within its limits."""
    tail = row.tails[OURS]
    verdicts = [(name, limit, getattr(tail, name) < limit) for name, limit in row.limits.items()]
    return ", ".join(f"{name} below {limit:g}: {'holds' if holds else 'missed'}" for name, limit, holds in verdicts)


def _verdict(row: Row, peer: Figure, ratio: float) -> str:
    expected = row.expected.get(peer.name)
    if expected is None:
        return ""
    return f"{expected:g}: {'holds' if ratio >= expected else 'missed'}"


def as_json(sections: Sequence[Section], about: Mapping[str, str]) -> dict[str, object]:
    """Everything measured, in seconds."""
    return {
        "schema": "mempool.bench/1",
        "machine": dict(about),
        "rows": [_row_json(section, row) for section in sections for row in section.rows],
    }


def _row_json(section: Section, row: Row) -> dict[str, object]:
    return {
        "section": section.title,
        "work": row.work,
        "unit": section.unit,
        "seconds": {figure.name: figure.median for figure in row.figures},
        "rounds": {figure.name: figure.seconds for figure in row.figures},
        "ratios": {peer.name: ratios(row.ours, peer) for peer in row.figures[1:]},
        "expected": dict(row.expected),
        **({"microseconds": {name: asdict(tail) for name, tail in row.tails.items()}} if row.tails else {}),
        **({"limits": dict(row.limits)} if row.limits else {}),
    }
