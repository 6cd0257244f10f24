"""A venue, a faulty line and a session in simulated time; every quote is held to the venue's own book."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from random import Random

from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import BookEvent, FetchSnapshot, Send, StateChanged
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import Quote
from tests.books.venues import quantities
from tests.exchanges.dialects import DIALECTS, Binance, Coinbase, VenueBook

STEP_NS = 10_000_000
ANSWER_STEPS = 5
LEVELS = 14
FAULTS = ("drop", "duplicate", "reorder", "cut", "garble")
Best = tuple[Decimal, Decimal, Decimal, Decimal] | None


class World:
    """Two symbols of one venue; what is broken are updates of the first one alone."""

    def __init__(self, name: str, random: Random, fault_rate: float) -> None:
        self.random = random
        self.fault_rate = fault_rate
        self.dialect = DIALECTS[name]()
        self.exchange = EXCHANGES[name]
        self.now_ns = 1_787_612_486_000_000_000
        self.faulty, self.other = self.dialect.symbols
        self.quotes = 0
        self.faults = dict.fromkeys(FAULTS, 0)
        self.wrong: list[str] = []
        self.other_changes = 0
        self.longest_resync_ns = 0
        self.missed: list[str] = []
        self._lost_ns: int | None = None
        self._is_damaged = False
        self._answers: deque[tuple[int, str, bytes | None]] = deque()
        self._held: tuple[str, bytes, Best] | None = None
        self._step = 0
        for book in self.dialect.books.values():
            book.change(self.initial(100, -1), self.initial(101, 1))
        self.session = ExchangeSession(
            self.exchange, [self.exchange.instrument(symbol) for symbol in self.dialect.symbols], now_ns=self.now_ns
        )
        self.take(self.session.connect(self.now_ns), None, None)

    def initial(self, start: int, step: int) -> list[tuple[str, str]]:
        return [(f"{start + step * number}.0", f"{number + 1}.50") for number in range(LEVELS)]

    def run(self, messages: int) -> None:
        for _ in range(messages):
            self.step()

    def step(self) -> None:
        """Ten milliseconds: what the server owes, then one update of one symbol."""
        self._step += 1
        self.now_ns += STEP_NS
        while self._answers and self._answers[0][0] <= self._step:
            _, symbol, body = self._answers.popleft()
            self.answer(symbol, body)
        symbol = self.random.choice(self.dialect.symbols)
        book = self.dialect.books[symbol]
        before = book.best()
        frame = self.dialect.update(symbol, *self.change(book))
        if isinstance(self.dialect, Binance) and book.best() != before:
            self.take(self.session.receive(self.dialect.best_quote(symbol), self.now_ns), None, None)
        fault = self.random.choice(FAULTS) if symbol == self.faulty and self.random.random() < self.fault_rate else None
        self.send(symbol, frame, book.best(), fault)
        self.take(self.session.tick(self.now_ns), None, None)
        if self.session.state(self.faulty).is_priced:
            self._lost_ns = None
        elif self._lost_ns is not None:
            self.longest_resync_ns = max(self.longest_resync_ns, self.now_ns - self._lost_ns)

    def change(self, book: VenueBook) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """A few levels a side, never crossing and never emptying a side."""
        changes = []
        for levels, start, step in ((book.bids, 100, -1), (book.asks, 101, 1)):
            side = {}
            for _ in range(self.random.randint(0, 3)):
                price = f"{start + step * self.random.randrange(LEVELS)}.0"
                remaining = sum(f"{kept:f}" not in side for kept in levels)
                is_gone = remaining > 4 and Decimal(price) in levels and self.random.random() < 0.4
                side[price] = "0.00" if is_gone else f"{self.random.randint(1, 999)}.{self.random.randint(0, 99):02}"
            changes.append(list(side.items()))
        return changes[0], changes[1]

    def send(self, symbol: str, frame: bytes, best: Best, fault: str | None) -> None:
        if fault is not None:
            self.faults[fault] += 1
        held, self._held = self._held, None
        if fault == "drop":
            self._is_damaged = True
        elif fault == "reorder" and held is None:
            self._held = (symbol, frame, best)
            return
        elif fault == "cut":
            self.deliver(symbol, frame[: self.random.randrange(len(frame) // 2, len(frame) - 1)], None)
            self._is_damaged = True
        elif fault == "garble":
            self.deliver(symbol, b"\xff" + frame[1:], None)
            self._is_damaged = True
        else:
            self.deliver(symbol, frame, best)
            if fault == "duplicate":
                self.deliver(symbol, frame, best)
        if held is not None:
            # What was sent before a lost frame says nothing of the loss.
            is_damaged, self._is_damaged = self._is_damaged, False
            self.deliver(*held)
            self._is_damaged = is_damaged

    def deliver(self, symbol: str, frame: bytes, best: Best) -> None:
        was_damaged = self._is_damaged and (symbol == self.faulty or isinstance(self.dialect, Coinbase))
        self.take(self.session.receive(frame, self.now_ns), symbol, best)
        if was_damaged and best is not None:
            self._is_damaged = False
            if self.exchange.verifier is None and self.session.state(self.faulty).is_priced:
                self.missed.append(f"{symbol} {self.session.state(self.faulty)}")

    def answer(self, symbol: str, body: bytes | None) -> None:
        best = self.dialect.books[symbol].best()
        if symbol == self.faulty:
            self._is_damaged, self._held = False, None
        if body is None:
            self.take(self.session.snapshot(symbol, self.dialect.snapshot(symbol), self.now_ns), symbol, best)
        else:
            for frame in self.dialect.asked(body):
                self.take(self.session.receive(frame, self.now_ns), symbol, best)

    def take(self, events: list[BookEvent], symbol: str | None, best: Best) -> None:
        """Hold every quote to what the venue's book was at the frame that made it."""
        for event in events:
            if isinstance(event, Send):
                named = [each for each in self.dialect.symbols if each.encode() in event.frame]
                for each in named:
                    self._answers.append((self._step + ANSWER_STEPS, each, event.frame.replace(self.unnamed(named, each), b"")))
            elif isinstance(event, FetchSnapshot):
                self._answers.append((self._step + ANSWER_STEPS, event.instrument.symbol, None))
            elif isinstance(event, StateChanged):
                self.note(event)
            elif isinstance(event, Quote):
                self.quotes += 1
                bid_quantity, ask_quantity = quantities(event)
                said = (event.bid, bid_quantity, event.ask, ask_quantity)
                if event.instrument.symbol != symbol or said != best:
                    self.wrong.append(f"{event.instrument.symbol}: {said}, the venue has {best}")

    def note(self, change: StateChanged) -> None:
        if change.instrument.symbol == self.other:
            self.other_changes += 1
        elif change.state.is_priced:
            self._lost_ns = None
        elif self._lost_ns is None:
            self._lost_ns = self.now_ns

    def unnamed(self, named: list[str], symbol: str) -> bytes:
        """The other symbol of a request for both, so that each is answered by itself."""
        others = [each for each in named if each != symbol]
        return others[0].encode() if others else b"\x00"
