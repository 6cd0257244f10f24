"""A book's snapshot is asked for again where no answer comes, soon at first, and no venue is asked without a pause."""

from __future__ import annotations

import json
from itertools import pairwise

from mempool.exchanges import EXCHANGES
from mempool.exchanges.asking import FIRST_PAUSE_NS, MAX_PAUSE_NS, Asking
from mempool.exchanges.events import BookEvent, FetchSnapshot, Send
from mempool.model.book import Instrument

SECOND_NS = 1_000_000_000
TICK_NS = SECOND_NS // 10
ETH = Instrument("okx", "ETH-USDT", "ETH", "USDT")


def asked(asking: Asking, until_s: float, start_s: float = 0.0) -> list[int]:
    """In tenths of a second: when it asks, of a feed's ticks and with no answer."""
    times = []
    for tick in range(round(start_s * 10), round(until_s * 10) + 1):
        events: list[BookEvent] = []
        asking.tick(tick * TICK_NS, events)
        if events:
            times.append(tick)
    return times


def test_first_subscription_that_is_not_answered_is_made_again_within_two_seconds_and_then_more_and_more_seldom() -> None:
    asking = Asking(EXCHANGES["okx"], ETH)
    asking.connect(0)
    times = asked(asking, 300)
    assert times[0] <= 16
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses == sorted(pauses)
    assert MAX_PAUSE_NS <= pauses[-1] * TICK_NS <= MAX_PAUSE_NS + 2 * TICK_NS
    assert len(times) < 20


def test_two_requests_that_are_lost_on_the_way_are_made_up_for_within_two_seconds() -> None:
    asking = Asking(EXCHANGES["okx"], ETH)
    asking.connect(0)
    asking.answered(SECOND_NS // 20)
    asking.settled()
    asking.ask(10 * SECOND_NS, [])
    assert asked(asking, 11.9, 10) == [106, 117]


def test_answer_that_takes_long_is_given_twice_its_time() -> None:
    asking = Asking(EXCHANGES["coinbase"], ETH)
    asking.connect(0)
    asking.answered(SECOND_NS * 6 // 5)
    asking.settled()
    asking.ask(10 * SECOND_NS, [])
    assert asked(asking, 12.4, 10) == []
    assert asked(asking, 13, 12.4) == [125]


def test_losses_at_every_message_make_no_more_than_one_request_in_a_pause() -> None:
    asking, events = Asking(EXCHANGES["okx"], ETH), list[BookEvent]()
    asking.connect(0)
    for millisecond in range(10_000):
        asking.settled()
        asking.ask(millisecond * 1_000_000, events)
    frames = [json.loads(event.frame)["op"] for event in events if isinstance(event, Send)]
    assert frames == ["unsubscribe", "subscribe"] * (10 * SECOND_NS // FIRST_PAUSE_NS - 1)


def test_request_by_rest_that_is_on_its_way_is_not_made_again() -> None:
    asking, events = Asking(EXCHANGES["binance"], Instrument("binance", "ETHUSDT", "ETH", "USDT")), list[BookEvent]()
    asking.connect(0)
    asking.ask(0, events)
    assert asked(asking, 60) == []
    assert [type(event) for event in events] == [FetchSnapshot]


def test_nothing_is_asked_on_a_connection_that_is_lost() -> None:
    asking = Asking(EXCHANGES["kraken"], ETH)
    asking.connect(0)
    asking.disconnect()
    assert asked(asking, 60) == []
