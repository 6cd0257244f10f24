"""The recorded frames that handlers of order books are driven with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from mempool.exchanges import EXCHANGES
from mempool.feeds.frame_file import read_frames

MAX_FRAME_BYTES = 16 * 1024 * 1024


class Recording(Struct, frozen=True):
    """A venue's frames in their order, each with whether its time counts; `snapshot` is the answer by REST, where it has one."""

    venue: str
    symbol: str
    base: str
    quote: str
    frames: tuple[tuple[int, bool, str], ...]
    snapshot: str = ""
    depth: int = 0
    """Levels a side that were subscribed to; 0 for all."""

    @property
    def timed(self) -> int:
        return sum(is_timed for _, is_timed, _ in self.frames)

    def for_worker(self, frames: int | None = None) -> dict[str, Any]:
        """As `books_worker` reads it, of the first so many frames."""
        names = ("venue", "symbol", "base", "quote", "snapshot", "depth")
        return {**{name: getattr(self, name) for name in names}, "frames": self.frames[:frames]}


def kraken(folder: Path) -> Recording:
    """The messages of the book alone, which every handler is given."""
    path = folder / "kraken_btcusd_depth25.txt.gz"
    frames = _frames(path, lambda frame: frame.startswith('{"channel":"book","type":"update"'))
    of_book = tuple(each for each in frames if each[2].startswith('{"channel":"book"'))
    return Recording("kraken", "BTC/USD", "BTC", "USD", of_book, depth=25)


def binance_diffs(folder: Path) -> Recording:
    """The diffs alone, for handlers that hear nothing else."""
    frames, snapshot = _binance(folder)
    return Recording("binance", "BTCUSDT", "BTC", "USDT", tuple(each for each in frames if is_diff(each[2])), snapshot)


def binance(folder: Path) -> Recording:
    """The diffs, and between them the best quotes that this program holds its book to; all of them are timed."""
    frames, snapshot = _binance(folder)
    return Recording("binance", "BTCUSDT", "BTC", "USDT", frames, snapshot)


def is_diff(frame: str) -> bool:
    return "@depth" in frame[:40]


def _binance(folder: Path) -> tuple[tuple[tuple[int, bool, str], ...], str]:
    """From the first diff on, as every handler asks for its snapshot then; trades are left out."""
    rest = EXCHANGES["binance"].rest
    frames = list(_frames(folder / "binance_btcusdt_20240808.txt.gz", lambda frame: True))
    answers = [text for _, _, text in frames if rest is not None and rest.is_answer(text.encode())]
    heard = [each for each in frames if each[2] not in answers and "@trade" not in each[2][:40]]
    return tuple(heard), answers[0]


def _frames(path: Path, is_timed: Callable[[str], bool]) -> list[tuple[int, bool, str]]:
    read = ((recv_ns, frame.decode()) for recv_ns, frame in read_frames(path, MAX_FRAME_BYTES))
    return [(recv_ns, is_timed(frame), frame) for recv_ns, frame in read]
