"""Times before which a host must not be asked again, kept in a small file, so that a restart does not forget them."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import msgspec
from msgspec import Struct

SECOND_NS = 1_000_000_000
LIMITED = (418, 429)
"""The statuses by which Binance says that an address is banned, and that it asks too much."""
LONGEST_NS = 7 * 86_400 * SECOND_NS
"""Binance's longest ban is three days; what a host says beyond a week is not believed."""
FIRST_SECONDS = {429: 60.0, 418: 120.0}
"""Where the answer holds no `Retry-After`: the length of Binance's window, and of its shortest ban."""
SLACK_NS = SECOND_NS
"""Added to each time, since both sides round."""


class Ban(Struct, frozen=True):
    """`until_ns` by the wall clock; `count` bans in a row, which doubles those that come without a time."""

    until_ns: int
    count: int = 1


class Clocks(Struct, frozen=True):
    """Wall clock and monotonic clock, in nanoseconds. A ban lasts until both say that it is over."""

    wall_ns: Callable[[], int] = time.time_ns
    monotonic_ns: Callable[[], int] = time.monotonic_ns


class BanList:
    """The bans of all hosts; with a path, those of earlier runs and of other processes too.

    A file that cannot be read counts as empty, one that cannot be written is left: the bans then hold for this run.
    """

    def __init__(self, path: Path | None = None, clocks: Clocks | None = None) -> None:
        self._path, self._clocks = path, clocks or Clocks()
        self._bans: dict[str, Ban] = {}
        self._held_until: dict[str, int] = {}
        self._read()

    def wait_ns(self, host: str) -> int:
        """How long `host` must not be asked yet; 0 where it may."""
        ban = self._bans.get(host)
        if ban is None:
            return 0
        by_wall = min(ban.until_ns - self._clocks.wall_ns(), LONGEST_NS)
        return max(0, by_wall, self._held_until.get(host, 0) - self._clocks.monotonic_ns())

    def is_on_probation(self, host: str) -> bool:
        """Whether no request has succeeded since the last ban: one may be tried, not several."""
        return host in self._bans

    def ban(self, host: str, status: int, retry_after: str | None) -> int:
        """After an answer 418 or 429, or any with `Retry-After`. Returns the nanoseconds that it lasts."""
        count = self._bans[host].count + 1 if host in self._bans else 1
        seconds = retry_seconds(retry_after, self._clocks.wall_ns())
        if seconds is None:
            seconds = FIRST_SECONDS.get(status, 60.0) * 2 ** min(count - 1, 10)
        length_ns = min(round(seconds * SECOND_NS) + SLACK_NS, LONGEST_NS)
        self._bans[host] = Ban(self._clocks.wall_ns() + length_ns, count)
        self._held_until[host] = self._clocks.monotonic_ns() + length_ns
        self._write()
        return length_ns

    def lift(self, host: str) -> None:
        """The host has answered as it should."""
        if self._bans.pop(host, None) is not None:
            self._held_until.pop(host, None)
            self._write(lifted=host)

    def _read(self) -> None:
        for host, ban in _stored(self._path).items():
            self._bans[host] = ban
            # A wall clock that is set forward while we run must not end a ban.
            self._held_until[host] = self._clocks.monotonic_ns() + min(ban.until_ns - self._clocks.wall_ns(), LONGEST_NS)

    def _write(self, lifted: str = "") -> None:
        if self._path is None:
            return
        bans = {host: ban for host, ban in _stored(self._path).items() if host != lifted}
        for host, ban in self._bans.items():
            if host not in bans or bans[host].until_ns < ban.until_ns:
                bans[host] = ban
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(bans))
            beside.replace(self._path)


def state_file() -> Path:
    """`$XDG_STATE_HOME/mempool/bans.json`, by default under `~/.local/state`."""
    base = os.environ.get("XDG_STATE_HOME") or Path(os.environ.get("HOME") or "/") / ".local" / "state"
    return Path(base) / "mempool" / "bans.json"


def retry_seconds(text: str | None, now_ns: int) -> float | None:
    """The value of `Retry-After`, seconds or a date (RFC 9110, 10.2.3), not negative; None where it is neither."""
    text = (text or "").strip()
    if re.fullmatch(r"\d{1,12}", text, re.ASCII):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_ns / SECOND_NS)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _stored(path: Path | None) -> dict[str, Ban]:
    if path is None:
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Ban])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
