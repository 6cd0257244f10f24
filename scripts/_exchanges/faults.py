"""Faults by scenario: what goes wrong, when, and with whose frames."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from scripts._exchanges.book import SimulatedBook
from scripts._exchanges.listings import SECOND_NS
from scripts._exchanges.venue import Client, Outgoing, Venue

OVERSIZE_BYTES = 32 * 1024 * 1024


class FaultKind(StrEnum):
    """Of one frame, of the connection, or of the venue."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    """It comes after the next one of its symbol, or of the connection; never a snapshot, whose being late Kraken cannot prove."""
    DIGIT = "digit"
    """One digit of a price or size is another one: provable only where the venue sends a checksum or its best quote."""
    CUT = "cut"
    """Half of it is missing."""
    NAN = "nan"
    NEGATIVE = "negative"
    OVERSIZE = "oversize"
    """A frame of 32 MiB goes before it."""
    DELAY = "delay"
    """It and all after it wait for `seconds`."""
    CLOSE = "close"
    """The venue ends the connection, with a closing handshake."""
    ABORT = "abort"
    """The line breaks."""
    SLOW_LORIS = "slow-loris"
    """The frame begins and does not end for `seconds`; nothing comes after it, and then the line breaks."""
    MUTE = "mute"
    """What the venue sends for `seconds` is lost, heartbeats too, with the line up."""
    BAN = "ban"
    """REST answers 429, then 418, and new connections are refused for `seconds`."""
    CROSSED = "crossed"
    """For `seconds` the venue's own book has a bid above the best ask."""
    HALT = "halt"
    """The symbol's book does not change for `seconds`; heartbeats go on."""
    CLOCK_JUMP = "clock-jump"
    """The venue's clock goes ahead by `seconds`, back for a negative number."""
    RESTART = "restart"
    """The service starts anew: `u` 1 at Bybit, a small `seqId` at OKX, a cut connection elsewhere and for other clients."""
    SHUTDOWN = "shutdown"
    """It is announced where the protocol has words for it, and happens after `seconds`."""


class Fault(Struct, frozen=True):
    """It strikes once: at frame number `frame` (counted from 1, over all connections), or at the first after `after_s`.

    With a symbol only frames that bring this symbol's book forward count, and are struck; else all frames.
    """

    kind: FaultKind
    frame: int = 0
    after_s: float = 0.0
    symbol: str = ""
    seconds: float = 1.0


class Action(Struct, frozen=True):
    """What the client's line does next: bring `sent`, not before `at_ns`; or end, by `closes`."""

    sent: Outgoing
    at_ns: int
    closes: str = ""
    """`close` with a handshake, `abort` without one."""
    stalls: bool = False
    """Only a part of the frame comes."""
    pings: bool = False
    """Instead of a frame, a websocket ping."""


class Injector:
    """A venue's faults to come. Each connection has a gate, through which its frames pass."""

    def __init__(self, venue: Venue, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self.struck: list[Fault] = []
        self.random = Random(seed)
        self.venue = venue
        self._start_ns = venue.now_ns
        self._seen: dict[str, int] = defaultdict(int)
        self._numbered: dict[tuple[str, int], list[Fault]] = defaultdict(list)
        self._timed: list[Fault] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Also while it runs; without a frame and a time it strikes the next frame."""
        if fault.frame:
            self._numbered[fault.symbol, fault.frame].append(fault)
        else:
            self._timed.append(fault)

    def due(self, sent: Outgoing) -> list[Fault]:
        """What strikes this frame, which is counted here."""
        seen = self._seen
        seen[""] += 1
        due = self._numbered.pop(("", seen[""]), [])
        if sent.symbol:
            seen[sent.symbol] += 1
            due = due + self._numbered.pop((sent.symbol, seen[sent.symbol]), [])
        if self._timed:
            passed_s = (self.venue.now_ns - self._start_ns) / SECOND_NS
            timed = [each for each in self._timed if each.after_s <= passed_s and each.symbol in ("", sent.symbol)]
            self._timed = [each for each in self._timed if each not in timed]
            due = due + timed
        self.struck += due
        return due


class Gate:
    """Between a venue and one connection: every frame passes here, and comes out as what the line does."""

    def __init__(self, injector: Injector, client: Client) -> None:
        self.injector, self.client = injector, client
        self.venue = injector.venue
        self.mute_until_ns = self.blocked_until_ns = self.shutdown_ns = 0
        self.held: list[Action] = []

    def pass_on(self, sent: Outgoing) -> list[Action]:
        """The frame as it comes out on the line, or what else happens there."""
        now_ns = self.venue.now_ns
        if now_ns < self.mute_until_ns:
            return []
        released = [each for each in self.held if each.sent.symbol in ("", sent.symbol)]
        self.held = [each for each in self.held if each not in released]
        actions = [Action(sent, now_ns, "close" if sent.closes else "")]
        for fault in self.injector.due(sent):
            actions = EFFECTS[fault.kind](Struck(self, fault), actions)
        actions += released
        if 0 < self.shutdown_ns <= now_ns:
            self.shutdown_ns = 0
            actions.append(Action(NOTHING, now_ns, "close"))
        if now_ns < self.blocked_until_ns:
            return [replace(each, at_ns=max(each.at_ns, self.blocked_until_ns)) for each in actions]
        return actions


class Struck(Struct, frozen=True):
    """A fault at the frame that it strikes."""

    gate: Gate
    fault: Fault

    @property
    def end_ns(self) -> int:
        return self.gate.venue.now_ns + int(self.fault.seconds * SECOND_NS)

    def say(self, frames: Iterable[Outgoing]) -> list[Action]:
        return [Action(sent, self.gate.venue.now_ns, "close" if sent.closes else "") for sent in frames]

    def books(self) -> list[SimulatedBook]:
        return [book for symbol, book in self.gate.venue.books.items() if self.fault.symbol in ("", symbol)]


Effect = Callable[[Struck, list[Action]], list[Action]]
NOTHING = Outgoing(b"")
NUMBER = re.compile(rb"(?<![:\d.])(?<=[\"])\d+\.\d+(?=[\"])|(?<=\"price\":)\d+\.\d+|(?<=\"qty\":)\d+\.\d+")
"""A price or size with a point: in quotes, or Kraken's bare ones."""


def _drop(struck: Struck, actions: list[Action]) -> list[Action]:
    return []


def _duplicate(struck: Struck, actions: list[Action]) -> list[Action]:
    return actions + actions


def _reorder(struck: Struck, actions: list[Action]) -> list[Action]:
    if any(b'"snapshot"' in action.sent.frame[:200] for action in actions):
        return actions
    struck.gate.held += actions
    return []


def _rewrite(change: Callable[[bytes, Random], bytes]) -> Effect:
    def effect(struck: Struck, actions: list[Action]) -> list[Action]:
        random = struck.gate.injector.random
        return [
            replace(action, sent=replace(action.sent, frame=change(action.sent.frame, random))) if action.sent.frame else action
            for action in actions
        ]

    return effect


def _cut(frame: bytes, random: Random) -> bytes:
    return frame[: 1 + random.randrange(len(frame) - 1)] if len(frame) > 1 else b""


def _number(change: Callable[[bytes, Random], bytes]) -> Effect:
    def rewritten(frame: bytes, random: Random) -> bytes:
        found = list(NUMBER.finditer(frame))
        if not found:
            return frame
        chosen = found[random.randrange(len(found))]
        return frame[: chosen.start()] + change(chosen[0], random) + frame[chosen.end() :]

    return _rewrite(rewritten)


def _digit(text: bytes, random: Random) -> bytes:
    at = random.choice([place for place, byte in enumerate(text) if byte != ord(".")])
    return text[:at] + b"%d" % ((int(text[at : at + 1]) + 1 + random.randrange(9)) % 10) + text[at + 1 :]


def _oversize(struck: Struck, actions: list[Action]) -> list[Action]:
    frame = b'{"padding":"' + b"x" * OVERSIZE_BYTES + b'"}'
    return [Action(Outgoing(frame), struck.gate.venue.now_ns), *actions]


def _delay(struck: Struck, actions: list[Action]) -> list[Action]:
    struck.gate.blocked_until_ns = struck.end_ns
    return actions


def _end(how: str) -> Effect:
    return lambda struck, actions: [*actions, Action(NOTHING, struck.gate.venue.now_ns, how)]


def _slow_loris(struck: Struck, actions: list[Action]) -> list[Action]:
    end_ns = struck.gate.mute_until_ns = struck.end_ns
    return [*(replace(each, stalls=True) for each in actions[:1]), Action(NOTHING, end_ns, "abort")]


def _mute(struck: Struck, actions: list[Action]) -> list[Action]:
    struck.gate.mute_until_ns = struck.end_ns
    return []


def _ban(struck: Struck, actions: list[Action]) -> list[Action]:
    struck.gate.venue.banned_until_ns = struck.end_ns
    return actions


def _crossed(struck: Struck, actions: list[Action]) -> list[Action]:
    for book in struck.books():
        book.crossed_until_ns = struck.end_ns
    return actions


def _halt(struck: Struck, actions: list[Action]) -> list[Action]:
    for book in struck.books():
        book.halted_until_ns = struck.end_ns
    return actions


def _clock_jump(struck: Struck, actions: list[Action]) -> list[Action]:
    struck.gate.venue.skew_ns += int(struck.fault.seconds * SECOND_NS)
    return actions


def _restart(struck: Struck, actions: list[Action]) -> list[Action]:
    struck.gate.venue.restart()
    return actions + struck.say(struck.gate.client.restarted())


def _shutdown(struck: Struck, actions: list[Action]) -> list[Action]:
    struck.gate.shutdown_ns = struck.end_ns
    return actions + struck.say(struck.gate.client.closing())


EFFECTS: dict[FaultKind, Effect] = {
    FaultKind.DROP: _drop,
    FaultKind.DUPLICATE: _duplicate,
    FaultKind.REORDER: _reorder,
    FaultKind.DIGIT: _number(_digit),
    FaultKind.CUT: _rewrite(_cut),
    FaultKind.NAN: _number(lambda text, random: b"NaN"),
    FaultKind.NEGATIVE: _number(lambda text, random: b"-" + text),
    FaultKind.OVERSIZE: _oversize,
    FaultKind.DELAY: _delay,
    FaultKind.CLOSE: _end("close"),
    FaultKind.ABORT: _end("abort"),
    FaultKind.SLOW_LORIS: _slow_loris,
    FaultKind.MUTE: _mute,
    FaultKind.BAN: _ban,
    FaultKind.CROSSED: _crossed,
    FaultKind.HALT: _halt,
    FaultKind.CLOCK_JUMP: _clock_jump,
    FaultKind.RESTART: _restart,
    FaultKind.SHUTDOWN: _shutdown,
}


def scattered(seed: int, kinds: Sequence[FaultKind], symbols: Sequence[str], every: int, count: int) -> list[Fault]:
    """`count` faults of these kinds in turn, `every` book frames of a symbol apart or a little more; each lasts a second."""
    random = Random(seed)
    return [
        Fault(kinds[number % len(kinds)], (number + 1) * every + random.randrange(every // 4 + 1), 0.0, random.choice(symbols))
        for number in range(count)
    ]
