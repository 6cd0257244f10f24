"""Plays mempool's own session against a simulated venue, and holds every quote that it stands for to the venue's true book."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import BookEvent, FetchSnapshot, Reconnect, Send, StateChanged
from mempool.exchanges.events import Fault as Found
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import Instrument, Quote
from scripts._exchanges.book import Best
from scripts._exchanges.faults import Fault, FaultKind
from scripts._exchanges.line import Delivery, Line, simulated_venue
from scripts._exchanges.listings import LISTINGS, MILLISECOND_NS, SECOND_NS, Listing
from scripts._exchanges.venue import Answer
from tests.fakes.exchange_watch import Watch, WatchedInjector

TICK_NS = 100 * MILLISECOND_NS
"""As often as a feed asks its session for what is due."""
WAY_NS = 30 * MILLISECOND_NS
"""From the client to the venue."""
PER_FRAME = (
    *(FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.REORDER, FaultKind.CUT, FaultKind.NAN, FaultKind.NEGATIVE),
    *(FaultKind.DELAY, FaultKind.MUTE, FaultKind.CROSSED, FaultKind.HALT, FaultKind.CLOCK_JUMP, FaultKind.RESTART),
    *(FaultKind.CLOSE, FaultKind.ABORT, FaultKind.SLOW_LORIS, FaultKind.SHUTDOWN),
)
"""What every venue's protocol lets a client find out, or survive."""
POWERS: list[int] = [10**exponent for exponent in range(40)]


class WrongQuote(AssertionError):
    """A book that says it may be priced has another best quote than the venue."""


class Play:
    """One session on one line, and what a watch has to say of it."""

    def __init__(self, venue: str, seed: int = 1, faults: Iterable[Fault] = (), listings: Sequence[Listing] = ()) -> None:
        self.rest_delay_s = 0.0
        """How long a REST answer is on its way."""
        self.line = Line(simulated_venue(venue, seed, listings=listings), (), seed)
        self.watch = Watch(venue)
        self.line.injector = WatchedInjector(self.line.venue, faults, seed)
        self.line.injector.watch = self.watch
        self.exchange = EXCHANGES[venue]
        self.instruments = [Instrument(venue, each.symbol, each.base, each.quote) for each in listings or LISTINGS[venue]]
        self.session = ExchangeSession(self.exchange, self.instruments, now_ns=self.line.recv_ns)
        self.frames = self.quotes = self.priced = self.connects = self.refused = 0
        self.found: list[Found] = []
        self.states: list[StateChanged] = []
        self._ticked_ns = self._retry_ns = 0
        self._wants_new = False
        self._answers: deque[tuple[int, str, Answer]] = deque()
        self._outbox: deque[tuple[int, Send | FetchSnapshot]] = deque()

    def run(self, frames: int) -> None:
        """Until so many frames have been heard."""
        while self.frames < frames:
            self.step()

    def run_for(self, seconds: float) -> None:
        """Until so much time has passed at the venue."""
        end_ns = self.line.recv_ns + int(seconds * SECOND_NS)
        while self.line.recv_ns < end_ns:
            self.step()

    def run_until_struck(self, faults: int) -> None:
        """Until so many faults have struck."""
        while len(self.line.injector.struck) < faults:
            self.step()

    def step(self) -> None:
        """Until the next thing reaches the client."""
        if not self.line.is_up and self.line.recv_ns >= self._retry_ns:
            self._connect()
        next_ns = self._ticked_ns + TICK_NS
        delivery = self.line.next(min(next_ns, self._outbox[0][0]) if self._outbox else next_ns)
        while self._outbox and self._outbox[0][0] <= delivery.recv_ns:
            self._arrives_there(self._outbox.popleft()[1])
        while self._answers and self._answers[0][0] <= delivery.recv_ns:
            self._answered(*self._answers.popleft())
        self.line.arrived(delivery)
        if delivery.closed:
            self._act(self.session.disconnect(delivery.closed, delivery.recv_ns))
        elif delivery.frame:
            self.frames += 1
            self._hear(delivery)
        if delivery.recv_ns - self._ticked_ns >= TICK_NS:
            self._ticked_ns = delivery.recv_ns
            self._act(self.session.tick(delivery.recv_ns))
        if self._wants_new:
            self._connect()
        self.check(delivery.symbol)

    def check(self, symbol: str = "") -> None:
        """Whether this book, or each of them, has the venue's best quote if it may be priced now."""
        for each, keeper in self.session.keepers.items():
            if symbol in ("", each) and (quote := keeper.quote()) is not None:
                self.priced += 1
                self._compare(quote)

    def _hear(self, delivery: Delivery) -> None:
        keeper = self.session.keepers.get(delivery.symbol)
        was_priced = keeper is not None and keeper.state.is_priced
        self._act(self.session.receive(delivery.frame, delivery.recv_ns))
        if keeper is not None and delivery.best is not None and was_priced and keeper.state.is_priced:
            self.watch.heard(delivery, keeper.book, self.line.venue.books[delivery.symbol])

    def _compare(self, quote: Quote) -> None:
        truth = self.line.truths[quote.instrument.symbol]
        if truth.is_crossed or not is_equal(quote, truth):
            raise WrongQuote(f"frame {self.frames}: {quote} is not {truth}; struck: {self.line.injector.struck[-3:]}")

    def _connect(self) -> None:
        """A new connection in the place of the old one."""
        now_ns = self.line.recv_ns
        self._wants_new = False
        if self.line.is_up:
            self._act(self.session.disconnect("left", now_ns))
        self._outbox.clear()
        self.connects += 1
        status = self.line.connect(target_of(self.exchange.url(self.instruments)))
        if status == 101:
            self._act(self.session.connect(now_ns))
        else:
            self.refused += 1
            self._retry_ns = now_ns + TICK_NS

    def _act(self, events: list[BookEvent]) -> None:
        for event in events:
            if isinstance(event, Quote):
                self.quotes += 1
                self._compare(event)
            elif isinstance(event, Send | FetchSnapshot):
                self._outbox.append((self.line.recv_ns + WAY_NS, event))
            elif isinstance(event, Reconnect):
                self._wants_new = True
            elif isinstance(event, StateChanged):
                self.states.append(event)
                self.watch.changed(event)
            else:
                self.found.append(event)

    def _arrives_there(self, request: Send | FetchSnapshot) -> None:
        if isinstance(request, Send):
            self.line.send(request.frame)
            return
        answer, symbol = self.line.get(target_of(request.url)), request.instrument.symbol
        due_ns = self.line.recv_ns + int(self.rest_delay_s * SECOND_NS)
        if self.rest_delay_s:
            self._answers.append((due_ns, symbol, answer))
        else:
            self._answered(due_ns, symbol, answer)

    def _answered(self, now_ns: int, symbol: str, answer: Answer) -> None:
        self.line.arrived(answer)
        if answer.status in (200, 400):
            self._act(self.session.snapshot(symbol, answer.body, now_ns))
        else:
            self.refused += 1
            self._act(self.session.snapshot_failed(symbol, f"status {answer.status}", now_ns))


def target_of(url: str) -> str:
    """Path and query of a URL."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def is_equal(quote: Quote, best: Best) -> bool:
    """Whether both say the same numbers, whatever their decimals."""
    ours, theirs = POWERS[best.price_decimals], POWERS[quote.price_decimals]
    if quote.bid_price * ours != best.bid * theirs or quote.ask_price * ours != best.ask * theirs:
        return False
    ours, theirs = POWERS[best.size_decimals], POWERS[quote.size_decimals]
    return quote.bid_size * ours == best.bid_size * theirs and quote.ask_size * ours == best.ask_size * theirs
