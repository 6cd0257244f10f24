"""When connections are opened: back-off, rates, and the replacement before the venue's cut, by a clock of the test."""

from __future__ import annotations

import random

import orjson
import pytest

from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import FetchSnapshot, StateChanged
from mempool.exchanges.exchange import SECOND_NS, Limits
from mempool.feeds.redial import HOUR_NS, MINUTE_NS, Redial
from mempool.feeds.venue import Order, Retire, VenueBooks, VenueEvent
from mempool.model.book import Quote
from tests.fakes.venue import binance_diff, binance_snapshot, bybit_delta, bybit_snapshot

DAY_NS = 24 * HOUR_NS
START_NS = 1_700_000_000 * SECOND_NS


def test_delays_are_drawn_below_a_ceiling_of_half_a_second_to_thirty() -> None:
    redial, now_ns, ceiling = Redial(Limits(), draw=lambda: 1.0), START_NS, 0.5
    for _ in range(12):
        redial.opening(now_ns)
        redial.ended("x", now_ns)
        assert not redial.may_open(now_ns + round(ceiling * SECOND_NS) - 1)
        now_ns += round(ceiling * SECOND_NS)
        assert redial.may_open(now_ns)
        ceiling = min(30, 2 * ceiling)


def test_connection_of_a_minute_starts_the_back_off_afresh() -> None:
    redial = Redial(Limits(), draw=lambda: 1.0)
    for _ in range(8):
        redial.ended("x", START_NS)
    later_ns = START_NS + HOUR_NS
    redial.opened("x", later_ns)
    redial.ended("x", later_ns + MINUTE_NS)
    assert redial.may_open(later_ns + MINUTE_NS + SECOND_NS // 2)


def test_venues_that_are_lost_at_once_do_not_come_back_in_lock_step() -> None:
    redials = [Redial(Limits()) for _ in range(20)]
    for redial in redials:
        for _ in range(6):
            redial.ended("x", START_NS)
    back = {next(tick for tick in range(100_000) if redial.may_open(START_NS + tick * SECOND_NS // 1_000)) for redial in redials}
    assert len(back) > 15


def test_attempts_stay_within_the_venues_rate() -> None:
    redial, now_ns = Redial(Limits(connects_per_minute=60), draw=lambda: 0.0), START_NS
    opened: list[int] = []
    while len(opened) < 300:
        now_ns += SECOND_NS // 10
        if redial.may_open(now_ns):
            redial.opening(now_ns)
            redial.ended("x", now_ns)
            opened.append(now_ns)
    # Binance: 300 attempts in five minutes.
    assert all(late - early >= MINUTE_NS for early, late in zip(opened, opened[60:], strict=False))


def test_attempts_stay_within_the_venues_rate_a_second() -> None:
    redial, now_ns = Redial(Limits(connects_per_second=3), draw=lambda: 0.0), START_NS
    opened: list[int] = []
    while len(opened) < 30:
        now_ns += SECOND_NS // 100
        if redial.may_open(now_ns):
            redial.opening(now_ns)
            redial.ended("x", now_ns)
            opened.append(now_ns)
    assert all(late - early >= SECOND_NS for early, late in zip(opened, opened[3:], strict=False))


@pytest.mark.parametrize(
    ("venue", "minutes", "most"), [("binance", 5, 300), ("bybit", 5, 500), ("okx", 1, 180), ("coinbase", 1, 480)]
)
def test_venue_that_refuses_every_attempt_is_tried_within_its_documented_limit(venue: str, minutes: int, most: int) -> None:
    redial, now_ns = Redial(EXCHANGES[venue].limits, draw=lambda: 0.0), START_NS  # without any pause
    opened: list[int] = []
    for _ in range(minutes * 60 * 50):
        now_ns += SECOND_NS // 50
        if redial.may_open(now_ns):
            redial.opening(now_ns)
            redial.ended("x", now_ns)
            opened.append(now_ns)
    assert most / 2 < len(opened) <= most


def test_pause_that_the_venue_demands_is_kept() -> None:
    redial = Redial(Limits(), draw=lambda: 0.0)
    redial.ended("x", START_NS, wait_seconds=120)
    assert not redial.may_open(START_NS + 119 * SECOND_NS)
    assert redial.may_open(START_NS + 120 * SECOND_NS)


class Days:
    """Plays a venue that cuts every connection after 24 hours and sends one message a second, for `hours`."""

    def __init__(self, name: str, seed: int) -> None:
        self.exchange = EXCHANGES[name]
        limits = Limits(lifetime_ns=DAY_NS, connects_per_minute=60)
        self.chance = random.Random(seed)
        self.books = VenueBooks(self.exchange, [self.exchange.instrument("ETH/USDT")])
        self.redial = Redial(limits, draw=self.chance.random)
        self.opened_ns: dict[str, int] = {}
        self.cuts = self.connections = self.most = 0
        self.without_book_ns = 0
        self.is_priced = False
        self.number = 0
        self.ages: list[int] = []

    def take(self, events: list[VenueEvent], now_ns: int) -> None:
        for event in events:
            if isinstance(event, StateChanged):
                self.is_priced = event.state.is_priced
            elif isinstance(event, Retire):
                self.ages.append(now_ns - self.opened_ns.pop(event.source))
                self.redial.retired(event.source)
            elif isinstance(event, Order) and isinstance(event.action, FetchSnapshot):
                self.take(self.books.fetched(event.source, "ETHUSDT", binance_snapshot(self.number), now_ns), now_ns)
            elif isinstance(event, Quote):
                assert self.is_priced

    def open(self, now_ns: int) -> None:
        source = next(each for each in ("v", "v+") if each not in self.opened_ns)
        self.redial.opening(now_ns)
        self.take(self.books.opening(source, now_ns), now_ns)
        if self.chance.random() < 0.3:  # an attempt that comes to nothing
            self.redial.ended(source, now_ns)
            self.take(self.books.lost(source, "connection refused", now_ns), now_ns)
            return
        self.opened_ns[source] = now_ns
        self.connections += 1
        self.most = max(self.most, len(self.opened_ns))
        self.redial.opened(source, now_ns)
        self.take(self.books.opened(source, now_ns), now_ns)
        if self.exchange.rest is None:
            self.take(self.books.heard(source, bybit_snapshot(self.number), now_ns), now_ns)

    def second(self, now_ns: int) -> None:
        self.number += 1
        for source, opened_ns in list(self.opened_ns.items()):
            if source not in self.opened_ns:
                continue
            if now_ns - opened_ns >= DAY_NS:
                self.cuts += 1
                del self.opened_ns[source]
                self.redial.ended(source, now_ns)
                self.take(self.books.lost(source, "cut", now_ns), now_ns)
                continue
            size = f"3000.1{self.number % 2}"
            binance = binance_diff(self.number, self.number, size)
            frame = binance if self.exchange.rest else bybit_delta(self.number, size)
            self.take(self.books.heard(source, frame, now_ns), now_ns)
        speaker, understudy = self.books.speaker, self.books.understudy
        if speaker is None:
            is_due = self.redial.may_open(now_ns)
        else:
            is_due = understudy is None and self.redial.wants_successor(speaker.source, now_ns)
        if is_due:
            self.open(now_ns)

    def play(self, hours: int) -> None:
        now_ns = START_NS
        while not self.is_priced:
            now_ns += SECOND_NS
            self.second(now_ns)
        for _ in range(hours * 3_600 // 5):
            now_ns += 5 * SECOND_NS  # long steps, so that a test takes seconds; the clocks below are hours
            self.second(now_ns)
            self.without_book_ns += 0 if self.is_priced else 5 * SECOND_NS


@pytest.mark.parametrize("name", ["bybit", "binance"])
def test_no_second_without_a_book_over_three_days_of_cuts(name: str) -> None:
    days = Days(name, seed=7)
    days.play(hours=74)
    assert days.without_book_ns == 0
    assert days.cuts == 0
    assert days.most == 2
    assert len(days.ages) == 3
    assert all(DAY_NS - HOUR_NS - 11 * MINUTE_NS < age < DAY_NS - 40 * MINUTE_NS for age in days.ages)


def books() -> VenueBooks:
    exchange = EXCHANGES["bybit"]
    instruments = [exchange.instrument(pair) for pair in ("ETH/USDT", "BTC/USDT")]
    venue = VenueBooks(exchange, instruments)
    venue.opening("v", 1)
    venue.opened("v", 2)
    for symbol in ("ETHUSDT", "BTCUSDT"):
        venue.heard("v", bybit_snapshot(symbol=symbol), 3)
    venue.opening("v+", 4)
    venue.opened("v+", 5)
    return venue


def test_younger_connection_speaks_only_when_it_has_every_book() -> None:
    venue = books()
    assert venue.heard("v+", bybit_snapshot(bid="3000.05"), 6) == []
    (told,) = venue.heard("v", bybit_delta(101, "3000.15"), 7)
    assert isinstance(told, Quote)
    events = venue.heard("v+", bybit_snapshot(symbol="BTCUSDT"), 8)
    assert [type(event) for event in events] == [StateChanged, StateChanged, Quote, Quote, Retire]
    assert venue.heard("v", bybit_delta(102, "3000.16"), 9) == []
    assert venue.lost("v", "replaced", 10) == []


def test_loss_of_the_elder_lets_the_younger_speak_at_once_whatever_it_knows() -> None:
    venue = books()
    venue.heard("v+", bybit_snapshot(bid="3000.05"), 6)
    events = venue.lost("v", "the connection broke off", 7)
    states = {event.instrument.symbol: event.state.is_priced for event in events if isinstance(event, StateChanged)}
    assert states == {"ETHUSDT": True, "BTCUSDT": False}


def test_loss_of_the_younger_is_not_told() -> None:
    venue = books()
    assert venue.lost("v+", "the connection broke off", 6) == []
    assert venue.heard("v", bybit_delta(101, "3000.15"), 7)


def test_symbol_that_loses_its_book_leaves_the_others_alone() -> None:
    venue = books()
    events = venue.heard("v", bybit_delta(105, "3000.15"), 6)  # 101 to 104 are missing
    changed = [event.instrument.symbol for event in events if isinstance(event, StateChanged)]
    assert changed == ["ETHUSDT"]
    events += venue.tick("v", 2 * SECOND_NS)
    asked = [orjson.loads(event.action.frame)["args"] for event in events if isinstance(event, Order)]  # type: ignore[union-attr]
    assert asked == [["orderbook.200.ETHUSDT"], ["orderbook.200.ETHUSDT"]]
