"""OKX sends 0 for a checksum now; where it sends another one, the book is held to it as the venue's documents say."""

from __future__ import annotations

import json
from random import Random
from zlib import crc32

import pytest

from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import BookEvent, Fault
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import BookState, Quote

Levels = list[tuple[str, str]]
OKX = EXCHANGES["okx"]
BIDS: Levels = [("3366.1", "7"), ("3366", "6")]
ASKS: Levels = [("3366.8", "9"), ("3368", "8")]


def signed(text: str) -> int:
    return int.from_bytes(crc32(text.encode()).to_bytes(4), signed=True)


class Venue:
    """Sends what it is told, numbered, to a session."""

    def __init__(self, *, is_numbered: bool = True) -> None:
        self.is_numbered = is_numbered
        self.number = 10
        self.session = ExchangeSession(OKX, [OKX.instrument("ETH/USDT")], now_ns=1)
        self.session.connect(1)

    def say(self, action: str, bids: Levels, asks: Levels, checksum: int) -> list[BookEvent]:
        before, self.number = self.number, self.number + 3
        sides = {name: [[*level, "0", "1"] for level in side] for name, side in (("asks", asks), ("bids", bids))}
        previous = -1 if action == "snapshot" else before
        data: dict[str, object] = {
            **sides,
            "ts": "1787612486207",
            "checksum": checksum,
            "seqId": self.number,
            "prevSeqId": previous,
        }
        if not self.is_numbered:
            del data["seqId"], data["prevSeqId"]
        frame = {"arg": {"channel": "books", "instId": "ETH-USDT"}, "action": action, "data": [data]}
        return self.session.receive(json.dumps(frame, separators=(",", ":")).encode(), self.number)

    @property
    def state(self) -> BookState:
        return self.session.state("ETH-USDT")


@pytest.mark.parametrize(
    ("bids", "asks", "text"),
    [
        (BIDS, ASKS, "3366.1:7:3366.8:9:3366:6:3368:8"),
        (BIDS[:1], [*ASKS, ("3372", "8")], "3366.1:7:3366.8:9:3368:8:3372:8"),
        ([*BIDS, ("3365", "4")], ASKS[:1], "3366.1:7:3366.8:9:3366:6:3365:4"),
        ([("3366.10", "7.0")], ASKS, "3366.10:7.0:3366.8:9:3368:8"),
    ],
)
def test_levels_of_both_sides_in_turn_as_they_are_written_are_checked(bids: Levels, asks: Levels, text: str) -> None:
    venue = Venue()
    assert any(isinstance(event, Quote) for event in venue.say("snapshot", bids, asks, signed(text)))
    assert venue.state.is_priced
    again = Venue()
    again.say("snapshot", bids, asks, signed(text) ^ 1)
    assert again.state.reason == "the checksum does not match"
    assert again.session.counts.mismatches == 1


def test_wrong_checksum_of_an_update_loses_the_book() -> None:
    venue = Venue()
    venue.say("snapshot", BIDS, ASKS, signed("3366.1:7:3366.8:9:3366:6:3368:8"))
    venue.say("update", [("3366.1", "0")], [("3367", "2.5")], signed("3366:6:3366.8:9:3367:2.5:3368:8"))
    assert venue.state.is_priced
    events = venue.say("update", [("3366.2", "1")], [], 12345)
    assert [event.kind for event in events if isinstance(event, Fault)] == ["mismatch"]
    assert venue.session.quote("ETH-USDT") is None


def test_checksum_of_zero_is_none_and_one_after_a_snapshot_without_is_not_judged() -> None:
    venue = Venue()
    venue.say("snapshot", BIDS, ASKS, 0)
    venue.say("update", [("3366.2", "1")], [], 0)
    assert venue.state.is_priced
    venue.say("update", [("3366.3", "1")], [], 12345)
    assert venue.state.is_priced
    assert venue.session.counts.verified == 3


def test_messages_without_numbers_as_of_2022_are_held_to_their_checksum_alone() -> None:
    venue = Venue(is_numbered=False)
    venue.say("snapshot", BIDS, ASKS, signed("3366.1:7:3366.8:9:3366:6:3368:8"))
    venue.say("update", [("3366.1", "0")], [], signed("3366:6:3366.8:9:3368:8"))
    assert (venue.state.proof.value, venue.session.counts.verified) == ("verified", 2)
    venue.say(
        "update", [("3365", "4")], [], signed("3366.2:1:3366.8:9:3366:6:3368:8:3365:4")
    )  # 3366.2 was of one that is missing
    assert (venue.session.counts.mismatches, venue.session.counts.gaps) == (1, 0)
    assert venue.session.quote("ETH-USDT") is None


def test_message_without_number_or_checksum_is_not_verified_and_none_follows_a_numbered_one() -> None:
    venue = Venue(is_numbered=False)
    venue.say("snapshot", BIDS, ASKS, 0)
    venue.say("update", [("3366.2", "1")], [], 0)
    assert (venue.state.proof.value, venue.session.counts.verified) == ("unverifiable", 0)
    venue = Venue()
    venue.say("snapshot", BIDS, ASKS, 0)
    venue.is_numbered = False
    venue.say("update", [("3366.2", "1")], [], 0)
    assert venue.session.counts.gaps == 1
    assert not venue.state.is_priced


def test_more_decimals_than_before_and_more_than_25_levels_are_checked_too() -> None:
    random, venue = Random(5), Venue()
    bids = {f"{2_000 - number}": f"{number + 1}" for number in range(60)}
    asks = {f"{2_001 + number}": f"{number + 1}" for number in range(60)}

    def checksum() -> int:
        sides = (sorted(bids, key=float, reverse=True)[:25], sorted(asks, key=float)[:25])
        return signed(":".join(f"{bid}:{bids[bid]}:{ask}:{asks[ask]}" for bid, ask in zip(*sides, strict=True)))

    venue.say("snapshot", list(bids.items()), list(asks.items()), checksum())
    for number in range(300):
        side, start, sign = random.choice([(bids, 2_000, -1), (asks, 2_001, 1)])
        decimals = random.choice(["", ".5", ".25" if number > 100 else ""])
        price = f"{start + sign * random.randrange(1, 40)}{decimals}"
        size = "0" if price in side and len(side) > 40 and random.random() < 0.5 else f"{random.randint(1, 99)}"
        if size == "0":
            del side[price]
        else:
            side[price] = size
        change = [(price, size)]
        venue.say("update", change if side is bids else [], change if side is asks else [], checksum())
        assert venue.state.is_priced, number
    assert venue.session.counts.verified == 301
