"""A venue that allows so many subscriptions an hour is never asked more often, whichever books are lost, and however often."""

from __future__ import annotations

import json
from collections import deque
from itertools import pairwise

import pytest

from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import BookEvent, Send
from mempool.exchanges.session import ExchangeSession
from mempool.feeds.subscriptions import FIRST_SECONDS, HOUR_SECONDS, Subscriptions
from mempool.model.book import Instrument
from tests.exchanges.dialects import Okx

SECOND_NS = 1_000_000_000
TICK = 0.1
PER_HOUR = 480
PAIR = (b"unsubscribe", b"subscribe")


def ask(subscriptions: Subscriptions, symbol: str) -> None:
    for frame in PAIR:
        subscriptions.ask(symbol, frame + b" " + symbol.encode())


def most_in_an_hour(times: list[float]) -> int:
    within: deque[float] = deque()
    most = 0
    for at in times:
        within.append(at)
        while within[0] <= at - HOUR_SECONDS:
            within.popleft()
        most = max(most, len(within))
    return most


def flapping(symbols: int, hours: float, step: float) -> dict[str, list[float]]:
    """When the frames for each symbol go out, if each of them is asked for at every step."""
    subscriptions = Subscriptions(PER_HOUR)
    subscriptions.opened(symbols, 0)
    sent: dict[str, list[float]] = {f"S{number}": [] for number in range(symbols)}
    for number in range(round(hours * HOUR_SECONDS / step)):
        for symbol in sent:
            ask(subscriptions, symbol)
        for frame in subscriptions.due(number * step):
            sent[frame.split()[1].decode()].append(number * step)
    return sent


def test_a_loss_now_and_then_is_asked_for_at_once_and_in_order() -> None:
    subscriptions = Subscriptions(PER_HOUR)
    for minute in range(120):
        ask(subscriptions, "A")
        assert subscriptions.due(60.0 * minute) == [b"unsubscribe A", b"subscribe A"]
        assert (subscriptions.waiting, subscriptions.due(60.0 * minute)) == (0, [])


def test_symbol_that_is_lost_all_the_time_is_asked_for_more_and_more_seldom() -> None:
    times = flapping(1, 1, TICK)["S0"][::2]
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[0] == pytest.approx(FIRST_SECONDS, abs=TICK)
    assert all(after > before - TICK for before, after in pairwise(pauses))
    assert pauses[-1] > 100
    assert 60 < len(times) < 100


@pytest.mark.parametrize("symbols", [1, 4, 40, 100])
def test_no_hour_has_more_than_the_venue_allows_whatever_is_lost(symbols: int) -> None:
    sent = flapping(symbols, 2.5, 1.0)
    assert most_in_an_hour([0.0] * symbols + sorted(at for times in sent.values() for at in times)) <= PER_HOUR
    assert all(times for times in sent.values())


def test_books_that_are_lost_all_the_time_leave_something_for_another_one() -> None:
    subscriptions, noisy = Subscriptions(PER_HOUR), [f"S{number}" for number in range(20)]
    subscriptions.opened(21, 0)
    for second in range(3_000):
        for symbol in noisy:
            ask(subscriptions, symbol)
        subscriptions.due(float(second))
    ask(subscriptions, "QUIET")
    assert b"subscribe QUIET" in subscriptions.due(3_000.0)


def test_request_that_waits_is_not_made_twice() -> None:
    subscriptions = Subscriptions(PER_HOUR)
    for _ in range(3):
        ask(subscriptions, "A")
    assert len(subscriptions.due(0.0)) == 2
    for _ in range(3):
        ask(subscriptions, "A")
    assert subscriptions.due(0.1) == []
    assert len(subscriptions.due(0.6)) == 2


def test_venue_without_such_a_limit_is_asked_at_once() -> None:
    subscriptions = Subscriptions(0)
    for number in range(2_000):
        ask(subscriptions, "A")
        assert len(subscriptions.due(number / 1_000)) == 2
    assert subscriptions.waiting == 0


class Flapper:
    """A session of OKX whose first book loses a message as soon as it is there, behind a feed's budget, in simulated time."""

    def __init__(self) -> None:
        self.dialect = Okx()
        exchange = EXCHANGES["okx"]
        self.bad, self.good = self.dialect.symbols
        for book in self.dialect.books.values():
            book.change([("99.5", "1.5")], [("100.5", "1.5")])
        self.session = ExchangeSession(exchange, [exchange.instrument(each) for each in self.dialect.symbols], now_ns=1)
        self.subscriptions = Subscriptions(exchange.limits.subscriptions_per_hour)
        self.now = 0.0
        self.sent: list[float] = []
        opening = self.session.connect(1)
        self.subscriptions.opened(len([each for each in opening if isinstance(each, Send)]), 0)
        self.sent += [0.0, 0.0]
        for symbol in self.dialect.symbols:
            self.hear(self.dialect.snapshot(symbol))

    def hear(self, frame: bytes) -> None:
        self.take(self.session.receive(frame, 1 + int(self.now * SECOND_NS)))

    def take(self, events: list[BookEvent]) -> None:
        for event in events:
            if isinstance(event, Send) and event.about:
                self.subscriptions.ask(event.about, event.frame)

    def tick(self) -> None:
        self.now += TICK
        self.take(self.session.tick(1 + int(self.now * SECOND_NS)))
        self.hear(self.dialect.update(self.good, [("99.4", "2")], []))
        if self.session.state(self.bad).is_priced:
            self.dialect.update(self.bad, [("99.3", "2")], [])  # this one is lost
            self.hear(self.dialect.update(self.bad, [("99.2", "2")], []))
        for frame in self.subscriptions.due(self.now):
            self.sent.append(self.now)
            if json.loads(frame)["op"] == "subscribe":
                self.hear(self.dialect.snapshot(self.bad))


def test_book_of_okx_that_is_lost_at_each_message_keeps_to_480_an_hour_and_the_other_one_lives() -> None:
    flapper = Flapper()
    for _ in range(round(1.5 * HOUR_SECONDS / TICK)):
        flapper.tick()
        assert flapper.session.state(flapper.good).is_priced
    assert 100 < most_in_an_hour(flapper.sent) <= PER_HOUR
    assert flapper.session.counts.resyncs > 50
    quarter = [at for at in flapper.sent if at < HOUR_SECONDS / 4]
    assert len(quarter) > len(flapper.sent) / 3  # soon at first, then ever more seldom


def test_first_subscriptions_of_many_symbols_leave_most_of_the_hour_for_later() -> None:
    exchange = EXCHANGES["okx"]
    for count in (1, 2, 100, 101, 350, 1_000):
        instruments = [Instrument("okx", f"S{number}-USDT", f"S{number}", "USDT") for number in range(count)]
        frames = exchange.subscribe(instruments)
        named = [each["instId"] for frame in frames for each in json.loads(frame)["args"]]
        assert named == [each.symbol for each in instruments]
        assert len(frames) == min(count, 100) or count > 100
        assert len(frames) <= 100
    assert exchange.subscribe([]) == ()
