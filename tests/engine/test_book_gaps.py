"""Gaps of books: one row for each loss of a price, one for each fault that costs none."""

from __future__ import annotations

import pytest

from mempool.engine.book_gaps import BookGaps
from mempool.exchanges.events import Fault, StateChanged
from mempool.model.book import BookState, Connection, Instrument, Proof
from mempool.model.record import BookGap

ETH = Instrument("kraken", "ETH/USD", "ETH", "USD")
BTC = Instrument("kraken", "BTC/USD", "BTC", "USD")


class Heard:
    def __init__(self) -> None:
        self.told: list[BookGap] = []
        self.gaps = BookGaps(self.told.append)

    def live(self, at_ns: int, instrument: Instrument = ETH) -> None:
        self.gaps.hear("kraken", StateChanged(instrument, BookState(Connection.LIVE, Proof.VERIFIED, "", at_ns)))

    def lost(self, at_ns: int, connection: Connection = Connection.SYNCING, proof: Proof = Proof.DESYNCED) -> None:
        self.gaps.hear("kraken", StateChanged(ETH, BookState(connection, proof, "why", at_ns)))

    def fault(self, at_ns: int, instrument: Instrument | None = ETH) -> None:
        self.gaps.hear("kraken", Fault("mismatch", "the checksum does not match", instrument, at_ns))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_book_that_syncs_for_the_first_time_has_no_gap(heard: Heard) -> None:
    heard.lost(1)
    heard.live(2)
    assert heard.told == []


def test_lost_price_is_a_gap_with_its_fault_and_its_end_is_told_under_the_same_number(heard: Heard) -> None:
    heard.live(1)
    heard.fault(5)
    heard.lost(5)
    heard.lost(6, Connection.DOWN)
    heard.live(9)
    open_gap = BookGap(1, "kraken", "ETH/USD", "mismatch", "the checksum does not match", 5, None)
    assert heard.told == [open_gap, BookGap(1, "kraken", "ETH/USD", "mismatch", "the checksum does not match", 5, 9)]


@pytest.mark.parametrize(
    ("connection", "proof", "kind"),
    [(Connection.DOWN, Proof.DESYNCED, "down"), (Connection.LIVE, Proof.STALE, "stale")],
)
def test_lost_price_without_a_fault_is_named_after_the_new_state(
    heard: Heard, connection: Connection, proof: Proof, kind: str
) -> None:
    heard.live(1)
    heard.lost(5, connection, proof)
    assert [(gap.kind, gap.reason, gap.to_ns) for gap in heard.told] == [(kind, "why", None)]


def test_fault_that_costs_no_price_ends_where_it_began(heard: Heard) -> None:
    heard.fault(1)
    heard.live(2)
    heard.fault(3, BTC)
    heard.fault(4, None)
    assert [(gap.number, gap.symbol, gap.from_ns, gap.to_ns) for gap in heard.told] == [
        (1, "ETH/USD", 1, 1),
        (2, "BTC/USD", 3, 3),
        (3, "", 4, 4),
    ]


def test_fault_of_a_priced_book_is_not_taken_for_the_cause_of_a_later_loss(heard: Heard) -> None:
    heard.live(1)
    heard.fault(3)
    heard.lost(7, Connection.DOWN)
    assert [(gap.kind, gap.from_ns, gap.to_ns) for gap in heard.told] == [("mismatch", 3, 3), ("down", 7, None)]
