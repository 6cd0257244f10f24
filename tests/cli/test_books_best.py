"""What `mempool books` tells of a pair over all its exchanges: exact figures on known books, in each of its forms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mempool.books.depth import BookDepth, depth_of
from mempool.books.money import FeesPips
from mempool.books.order_book import OrderBook
from mempool.cli.books_live import JsonPrinter, ignore
from mempool.cli.books_stream import best_object, plain_lines
from mempool.cli.books_table import screen
from mempool.engine.books_live import BooksOptions, LiveBooks
from mempool.engine.books_look import BAND_BPS, MarketLook, market_looks
from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import StateChanged
from mempool.feeds.venue import VenueBooks
from mempool.model.book import BookState, Connection, Instrument, Proof, Quote
from tests.books.venues import COINBASE, KRAKEN, OKX, TETHER
from tests.e2e.exchanges import simulated_exchanges
from tests.e2e.program import run_once

NOW_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000
LIVE = BookState(Connection.LIVE, Proof.VERIFIED, "", NOW_NS)
FEES = {"kraken": 4_000, "coinbase": 0, "okx": 0}

Levels = Sequence[tuple[str, str]]
Sides = tuple[Levels, Levels]
"""Bids and asks, best first."""
TIED: Mapping[Instrument, Sides] = {
    KRAKEN: ([("100", "2")], [("101", "3")]),
    COINBASE: ([("100.0", "1.5"), ("99.9", "4")], [("101.0", "0.5"), ("101.2", "4")]),
}
CROSSED: Mapping[Instrument, Sides] = {
    KRAKEN: ([("100", "2")], [("101", "3")]),
    OKX: ([("102", "1")], [("103", "1")]),
    TETHER: ([("0.999", "1000")], [("1.001", "1000")]),
}


class KnownBooks(VenueBooks):
    """Books that stand as they were made, each kept to so many levels."""

    def __init__(self, venue: str, known: Mapping[Instrument, Sides], most: int = 0) -> None:
        super().__init__(EXCHANGES[venue], [each for each in known if each.venue == venue])
        self.books: dict[Instrument, OrderBook] = {}
        for instrument in self.instruments:
            self.books[instrument] = made = OrderBook(most)
            made.load(*known[instrument])

    def depth(self, instrument: Instrument, levels: int) -> BookDepth | None:
        book = self.books.get(instrument)
        return None if book is None else depth_of(instrument, book, levels)

    def quote(self, instrument: Instrument) -> Quote:
        book = self.books[instrument]
        (bid,), (ask,) = book.best_bids(1), book.best_asks(1)
        decimals = (book.price_decimals, book.size_decimals)
        return Quote(instrument, bid.price, bid.size, ask.price, ask.size, *decimals, Proof.VERIFIED, NOW_NS)


def live(known: Mapping[Instrument, Sides], fees: FeesPips = FEES, most: int = 0) -> LiveBooks:
    """Of ETH/USD, with every named book priced."""
    venues = tuple(dict.fromkeys(each.venue for each in known))
    books = LiveBooks(BooksOptions(venues=venues, server="ws://127.0.0.1:9", fees=fees), ignore)
    for venue in venues:
        source = KnownBooks(venue, known, most)
        books.books.read_depths_from(venue, source)
        for instrument in source.instruments:
            books.books.hear(StateChanged(instrument, LIVE))
            books.books.hear(source.quote(instrument))
    return books


def look(books: LiveBooks, size: str = "") -> MarketLook:
    (found,) = market_looks(books.books, NOW_NS + SECOND_NS, Fraction(size) if size else None)
    return found


def told(known: Mapping[Instrument, Sides], size: str = "", most: int = 0) -> dict[str, Any]:
    return best_object(look(live(known, most=most), size))


def test_sizes_at_a_tie_are_summed_and_split_by_venue() -> None:
    best = told(TIED)
    assert (best["bid"], best["bid_size"], best["bid_venues"]) == ("100", "3.5", ["kraken", "coinbase"])
    assert best["bid_split"] == [{"venue": "kraken", "size": "2.0"}, {"venue": "coinbase", "size": "1.5"}]
    assert best["ask_split"] == [{"venue": "kraken", "size": "3.0"}, {"venue": "coinbase", "size": "0.5"}]
    assert (best["spread"], best["microprice"], best["market"]) == ("1", "100.5", "open")
    assert (best["since_ns"], best["now_ns"], best["legs"], best["left_out"]) == (NOW_NS, NOW_NS + SECOND_NS, [], [])


def test_best_after_fees_is_at_the_venue_that_takes_less() -> None:
    assert told(TIED)["after_fees"] == {
        "bid": "100",
        "bid_venues": ["coinbase"],
        "ask": "101",
        "ask_venues": ["coinbase"],
        "market": "open",
    }


def test_size_is_walked_over_all_books_after_fees() -> None:
    assert told(TIED, "6.0")["size"] == {
        "base": "6",
        "sell": {
            "filled": "6",
            "unfilled": "0",
            "vwap": "99.9",
            "worst": "99.6",
            "certain": True,
            "fills": [{"venue": "coinbase", "size": "5.5"}, {"venue": "kraken", "size": "0.5"}],
        },
        "buy": {
            "filled": "6",
            "unfilled": "0",
            "vwap": "101.234333333333333333",
            "worst": "101.404",
            "certain": True,
            "fills": [{"venue": "coinbase", "size": "4.5"}, {"venue": "kraken", "size": "1.5"}],
        },
    }


def test_what_the_books_do_not_hold_is_unfilled_and_what_they_do_not_list_is_uncertain() -> None:
    whole, cut = told(TIED, "10")["size"]["sell"], told(TIED, "10", most=2)["size"]["sell"]
    assert (whole["filled"], whole["unfilled"], whole["certain"]) == ("7.5", "2.5", True)
    assert cut == {**whole, "certain": False}
    assert told(TIED, "5", most=2)["size"]["sell"]["certain"]


def test_crossed_market_is_told_with_the_leg_that_it_counts_through() -> None:
    best = told(CROSSED)
    assert (best["bid"], best["ask"], best["spread"], best["market"]) == ("101.898", "101", "-0.898", "crossed")
    assert best["legs"] == [{"venue": "kraken", "symbol": "USDT/USD", "of": ["okx"]}]
    assert (best["after_fees"]["bid"], best["after_fees"]["ask"]) == ("101.490408", "101.404")
    assert best["after_fees"]["market"] == "crossed"
    dearer = best_object(look(live(CROSSED, {**FEES, "okx": 1_000})))
    assert (dearer["market"], dearer["after_fees"]["market"]) == ("crossed", "open")


def test_book_whose_leg_is_not_priced_is_in_no_figure() -> None:
    best = told({KRAKEN: CROSSED[KRAKEN], OKX: CROSSED[OKX]}, "1")
    assert best["left_out"] == [{"venue": "okx", "reason": "no rate between USDT and USD is priced now"}]
    assert (best["bid"], best["legs"]) == ("100", [])
    assert best["size"]["sell"]["fills"] == [{"venue": "kraken", "size": "1"}]


NEAR: Mapping[Instrument, Sides] = {
    KRAKEN: (
        [("100.00", "2"), ("99.95", "3"), ("99.80", "7")],
        [("100.10", "1"), ("100.14", "4"), ("100.50", "9")],
    ),
    OKX: ([("100.05", "1"), ("99", "1")], [("100.2", "1"), ("101", "5")]),
    TETHER: CROSSED[TETHER],
}


def test_depth_is_what_all_books_offer_within_10_basis_points_of_the_mid_and_on_them() -> None:
    both = [{"venue": "kraken", "size": "5"}, {"venue": "okx", "size": "1"}]
    assert told(NEAR)["depth"] == {
        "bps": 10,
        "bid": {"size": "6", "certain": True, "split": both},
        "ask": {"size": "5", "certain": True, "split": both[:1]},
    }


def test_depth_is_certain_while_the_levels_that_are_listed_reach_beyond_it() -> None:
    assert told(NEAR, most=3)["depth"] == told(NEAR)["depth"]
    cut = told(NEAR, most=2)["depth"]
    assert [(cut[side]["size"], cut[side]["certain"]) for side in ("bid", "ask")] == [("6", False), ("5", False)]


@pytest.mark.parametrize("known", [TIED, CROSSED, NEAR])
@pytest.mark.parametrize("most", [0, 1, 2])
def test_depth_of_the_levels_that_may_count_is_that_of_all_levels(known: Mapping[Instrument, Sides], most: int) -> None:
    books = live(known, most=most)
    (market,), seen = books.markets, look(books)
    assert seen.near is not None
    assert seen.best.mid is not None
    for trade, taken in seen.near.by_trade():
        assert taken == market.within(trade, seen.best.mid, BAND_BPS, books.books.depth)


def test_stream_tells_of_a_pair_again_when_a_figure_has_changed(capsys: pytest.CaptureFixture[str]) -> None:
    books, printer = live(TIED), JsonPrinter(Fraction(6))
    for now_ns in (NOW_NS, NOW_NS + SECOND_NS):
        printer.refresh(books, now_ns)
    books.books.read_depths_from("kraken", KnownBooks("kraken", {KRAKEN: ([("100", "2"), ("99", "1")], [("101", "1")])}))
    printer.refresh(books, NOW_NS + SECOND_NS)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["now_ns"], second["now_ns"]) == (NOW_NS, NOW_NS + SECOND_NS)
    assert (first["size"]["buy"]["unfilled"], second["size"]["buy"]["unfilled"]) == ("0", "0.5")


def test_without_a_priced_book_every_figure_is_null() -> None:
    books = live(TIED)
    for book in TIED:
        books.books.hear(StateChanged(book, BookState(Connection.DOWN, Proof.STALE, "gone", NOW_NS)))
    best = best_object(look(books, "6"))
    assert [best[key] for key in ("bid", "bid_size", "microprice", "spread", "depth")] == [None] * 5
    assert (best["market"], best["size"]) == ("empty", {"base": "6", "sell": None, "buy": None})
    assert best["after_fees"] == {"bid": None, "bid_venues": [], "ask": None, "ask_venues": [], "market": "empty"}
    assert list(plain_lines([look(books, "6")], [])) == []


def test_plain_lines_say_how_the_market_stands_before_and_after_fees_and_what_a_size_comes_to() -> None:
    assert list(plain_lines([look(live(CROSSED), "1.5")], [])) == [
        (
            "best ETH/USD: crossed, bid 101.898 (okx), ask 101 (kraken); "
            "after fees crossed, bid 101.490408 (okx), ask 101.404 (kraken)"
        ),
        "1.5 ETH sold for USD: 100.860272 after fees; okx 1, kraken 0.5; the last at 99.6",
        "1.5 ETH bought with USD: 101.404 after fees; kraken 1.5; the last at 101.404",
    ]
    sold, _ = list(plain_lines([look(live(TIED, most=2), "10")], []))[1:]
    assert sold == (
        "10 ETH sold for USD: 2.5 unfilled; ≥99.84 after fees; coinbase 5.5, kraken 2; the last at 99.6; "
        "more may be behind what is listed"
    )


def drawn(books: LiveBooks, size: str, columns: int) -> list[str]:
    console = Console(width=columns, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(screen(books, [look(books, size)], NOW_NS + SECOND_NS, columns))
    return capture.get().splitlines()


@pytest.mark.parametrize("columns", [80, 100, 120, 160])
def test_table_has_a_line_after_fees_and_one_for_the_size_below_the_best(columns: int) -> None:
    lines = drawn(live(CROSSED), "1.5", columns)
    assert max(map(len, lines)) <= columns
    shown = "\n".join(lines)
    assert re.search(r"^best +ETH/USD +crossed 1\.0 s +101\.898 .*101 ", shown, re.MULTILINE)
    assert re.search(r"^ +after fees +crossed 1\.0 s +101\.490408 .*101\.404 ", shown, re.MULTILINE)
    assert re.search(r"^ +1\.5 ETH +filled +100\.860272 .*101\.404", shown, re.MULTILINE)
    assert "1.5 ETH sold for USD: okx 1, kraken 0.5; the last at 99.6\n" in shown
    assert "taker fees: kraken 0.4 %, okx 0 %" in shown
    assert ("okx / kraken" in lines[3]) == (columns == 160)
    assert ("ETH/USD is best at okx / kraken, after fees at okx / kraken" in shown) == (columns != 160)
    assert ("in 10 bps" in shown) == (columns >= 120)


def test_table_says_what_is_not_filled_and_what_may_be_better() -> None:
    shown = "\n".join(drawn(live(TIED, most=2), "10", 120))
    assert re.search(r"^ +10 ETH +partly filled +≥99\.84 +≤101\.", shown, re.MULTILINE)
    assert "10 ETH sold for USD: 2.5 unfilled; coinbase 5.5, kraken 2; the last at 99.6; more may be behind" in shown


def test_once_tells_the_size_at_ones_own_fees_from_books_as_they_stand(tmp_path: Path) -> None:
    fees = [text for venue in ("kraken=0", "okx=0.01") for text in ("--taker-fee", venue)]
    with simulated_exchanges() as server:
        options = ["--server", server, "--exchange", "kraken", "--exchange", "okx", "--size", "2.5", *fees]
        ended = run_once(["books", "--once", "--json", *options], tmp_path)
        plain = run_once(["books", "--once", *options], tmp_path)
    assert ended.code == plain.code == 0, ended.stderr + plain.stderr
    (best,) = [line for line in map(json.loads, ended.stdout.splitlines()) if line["type"] == "best"]
    for side in ("sell", "buy"):
        walked = best["size"][side]
        assert (walked["filled"], walked["unfilled"], walked["certain"]) == ("2.5", "0", True)
        assert sum(Fraction(fill["size"]) for fill in walked["fills"]) == Fraction("2.5")
    assert Fraction(best["size"]["sell"]["vwap"]) <= Fraction(best["after_fees"]["bid"]) <= Fraction(best["bid"])
    assert Fraction(best["size"]["buy"]["vwap"]) >= Fraction(best["after_fees"]["ask"]) >= Fraction(best["ask"])
    assert Fraction(best["depth"]["bid"]["size"]) > 0
    assert best["legs"] == [{"venue": "kraken", "symbol": "USDT/USD", "of": ["okx"]}]
    assert re.search(r"^2\.5 ETH sold for USD: [\d.]+ after fees; ", plain.stdout, re.MULTILINE)
