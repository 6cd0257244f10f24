"""The consolidated quote is the best of the books that are priced now, exactly, and says who was left out."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mempool.books.consolidated import Consolidator
from mempool.errors import UsageError
from mempool.model.book import BookState, Connection, Instrument, Proof, Quote
from mempool.model.consolidated import PIPS, Best, ConsolidatedQuote, Market
from tests.books.venues import (
    BINANCE,
    BOOKS,
    BYBIT,
    CIRCLE,
    COINBASE,
    FEES,
    FREE,
    KRAKEN,
    LIVE,
    OKX,
    RATES,
    SECOND,
    TETHER,
    TETHER_TOO,
    quantities,
    quote,
    state,
)


def consolidator(*quotes: Quote, max_age_ns: int = 0, fees: dict[str, int] = FEES) -> Consolidator:
    """Every instrument live, and these quotes heard."""
    made = Consolidator(("ETH", "USD"), BOOKS, fees, RATES, max_age_ns)
    for instrument in (*BOOKS, *RATES):
        made.on_state(instrument, LIVE)
    for each in quotes:
        made.on_quote(each)
    return made


def consolidated(*quotes: Quote) -> ConsolidatedQuote:
    return consolidator(*quotes).quote(SECOND)


def venues(best: Best | None) -> list[str]:
    assert best is not None
    return [instrument.venue for instrument, _ in best.shares]


def reasons(found: ConsolidatedQuote) -> dict[Instrument, str]:
    return {each.instrument: each.reason for each in found.left_out}


def price(best: Best | None) -> Fraction:
    assert best is not None
    return best.exact_price


class Plain:
    """The reference: every last word kept, all prices made anew as fractions and sorted at each question."""

    def __init__(self, fees: dict[str, int]) -> None:
        self.quotes: dict[Instrument, Quote] = {}
        self.states: dict[Instrument, BookState] = {}
        self.fees = fees

    def hear(self, event: Quote | tuple[Instrument, BookState]) -> None:
        if isinstance(event, Quote):
            self.quotes[event.instrument] = event
        else:
            self.states[event[0]] = event[1]
            if not event[1].is_priced:
                self.quotes.pop(event[0], None)

    def priced(self, instrument: Instrument) -> Quote | None:
        return self.quotes.get(instrument) if instrument in self.states and self.states[instrument].is_priced else None

    def taken(self, instrument: Instrument) -> tuple[Fraction, Fraction] | None:
        found = self.priced(instrument)
        if found is None:
            return None
        fee = Fraction(self.fees[instrument.venue], PIPS)
        return Fraction(found.bid) * (1 - fee), Fraction(found.ask) * (1 + fee)

    def rates(self, asset: str) -> tuple[Fraction, Fraction] | None:
        if asset == "USD":
            return Fraction(1), Fraction(1)
        for rate in RATES:
            taken = self.taken(rate)
            if taken is not None and asset in (rate.base, rate.quote):
                return taken if rate.base == asset else (1 / taken[1], 1 / taken[0])
        return None

    def prices(self) -> dict[Instrument, tuple[Fraction, Fraction]]:
        made = {}
        for book in BOOKS:
            taken, rates = self.taken(book), self.rates(book.quote)
            if taken is not None and rates is not None:
                made[book] = taken[0] * rates[0], taken[1] * rates[1]
        return made


def assert_best(best: Best | None, prices: dict[Instrument, Fraction], sizes: dict[Instrument, Decimal], *, is_bid: bool) -> None:
    if not prices:
        assert best is None
        return
    assert best is not None
    expected = sorted(prices.values(), reverse=is_bid)[0]
    at_it = [book for book in BOOKS if prices.get(book) == expected]
    assert best.exact_price == expected
    assert [book for book, _ in best.shares] == at_it
    assert best.exact_size == sum(Fraction(sizes[book]) for book in at_it)
    assert best.size == sum(size for _, size in best.shares)


def assert_equal(found: ConsolidatedQuote, plain: Plain) -> None:
    prices = plain.prices()
    quotes = {book: plain.quotes[book] for book in prices}
    bids = {book: bid for book, (bid, _) in prices.items()}
    asks = {book: ask for book, (_, ask) in prices.items()}
    assert_best(found.bid, bids, {book: quantities(each)[0] for book, each in quotes.items()}, is_bid=True)
    assert_best(found.ask, asks, {book: quantities(each)[1] for book, each in quotes.items()}, is_bid=False)
    assert [part.quote for part in found.parts] == [quotes[book] for book in BOOKS if book in prices]
    assert [each.instrument for each in found.left_out] == [book for book in BOOKS if book not in prices]
    gap = min(asks.values()) - max(bids.values()) if prices else None
    assert found.market is (
        Market.EMPTY if gap is None else Market.OPEN if gap > 0 else Market.CROSSED if gap < 0 else Market.LOCKED
    )
    assert found.spread == gap


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    instrument = draw(st.sampled_from([*BOOKS, *RATES]))
    decimals = draw(st.integers(0, 3))
    middle, most = (1, 3) if instrument in RATES else (10, 4)
    bid = draw(st.integers(middle * 10**decimals, (middle + 1) * 10**decimals))
    ask = bid + draw(st.integers(1, most))
    sizes = draw(st.tuples(st.integers(1, 50), st.integers(1, 50)))
    return Quote(instrument, bid, sizes[0], ask, sizes[1], decimals, draw(st.integers(0, 4)), Proof.VERIFIED, 0)


STATES = st.tuples(
    st.sampled_from([*BOOKS, *RATES]),
    st.builds(state, st.sampled_from(Connection), st.sampled_from(Proof)) | st.just(LIVE) | st.just(LIVE),
)


@given(st.lists(quotes() | quotes() | quotes() | STATES, max_size=40), st.sampled_from([FEES, FREE]))
def test_any_events_give_what_sorting_all_quotes_anew_gives(
    events: list[Quote | tuple[Instrument, BookState]], fees: dict[str, int]
) -> None:
    made, gross, net = consolidator(fees=fees), Plain(FREE), Plain(fees)
    for instrument in (*BOOKS, *RATES):
        gross.hear((instrument, LIVE))
        net.hear((instrument, LIVE))
    for event in events:
        gross.hear(event)
        net.hear(event)
        if isinstance(event, Quote):
            made.on_quote(event)
        else:
            made.on_state(*event)
        assert_equal(made.quote(SECOND), gross)
        assert_equal(made.quote_after_fees(SECOND), net)


def test_best_bid_and_offer_come_from_different_venues() -> None:
    found = consolidated(quote(KRAKEN, "3000.10", "3000.90"), quote(COINBASE, "3000.00", "3000.80"))
    assert (venues(found.bid), venues(found.ask)) == (["kraken"], ["coinbase"])
    assert (found.pair, found.market, found.mid) == ("ETH/USD", Market.OPEN, Fraction("3000.45"))


def test_sizes_at_the_same_price_are_summed_and_split_by_venue_whatever_their_decimals() -> None:
    found = consolidated(
        quote(KRAKEN, "3000.1", "3001.0", ("0.12345678", "1.00000000")),
        quote(COINBASE, "3000.100", "3002.000", ("2.5", "1.0")),
    )
    assert found.bid is not None
    assert found.bid.exact_price == Fraction("3000.1")
    assert (found.bid.size, found.bid.size_decimals) == (262345678, 8)
    assert found.bid.shares == ((KRAKEN, 12345678), (COINBASE, 250000000))


def test_prices_beyond_what_a_float_holds_are_told_apart() -> None:
    found = consolidated(
        quote(KRAKEN, "1.000000000000000000000000000000000001", "1.000000000000000000000000000000000009"),
        quote(COINBASE, "1.000000000000000000000000000000000002", "1.000000000000000000000000000000000008"),
    )
    assert (venues(found.bid), venues(found.ask)) == (["coinbase"], ["coinbase"])


def test_book_whose_decimals_grow_stays_the_same_price() -> None:
    made = consolidator(quote(KRAKEN, "3000.1", "3000.2"))
    before = made.quote(SECOND)
    made.on_quote(quote(KRAKEN, "3000.1000", "3000.2000", ("1.000", "1.000")))
    assert made.quote(SECOND).mid == before.mid == Fraction("3000.15")


@pytest.mark.parametrize(
    "bad",
    [
        *(state(Connection.LIVE, proof, "sequence", SECOND) for proof in (Proof.SUSPECT, Proof.DESYNCED, Proof.STALE)),
        *(state(each, Proof.VERIFIED, "cut", SECOND) for each in Connection if each is not Connection.LIVE),
    ],
)
def test_venue_that_may_not_be_trusted_is_out_at_once_with_the_reason(bad: BookState) -> None:
    made = consolidator(quote(KRAKEN, "3000.10", "3000.20"), quote(COINBASE, "2999.00", "3001.00"))
    made.on_state(KRAKEN, bad)
    found = made.quote(SECOND)
    assert (venues(found.bid), venues(found.ask)) == (["coinbase"], ["coinbase"])
    out = found.left_out[0]
    word = bad.proof if bad.connection is Connection.LIVE else bad.connection
    assert (out.instrument, out.reason, out.state) == (KRAKEN, f"{word}: {bad.reason}", bad)


def test_venue_that_is_live_again_is_not_priced_by_its_quote_of_before() -> None:
    made = consolidator(quote(KRAKEN, "3000.10", "3000.20"))
    made.on_state(KRAKEN, state(Connection.SYNCING, Proof.DESYNCED))
    made.on_state(KRAKEN, LIVE)
    found = made.quote(SECOND)
    assert (found.bid, found.ask, found.market) == (None, None, Market.EMPTY)
    assert reasons(found)[KRAKEN] == "it has given no quote yet"


def test_quote_counts_only_once_its_book_is_said_to_be_live() -> None:
    made = Consolidator(("ETH", "USD"), [KRAKEN], FEES)
    assert reasons(made.quote(0)) == {KRAKEN: "nothing has been heard of it yet"}
    made.on_quote(quote(KRAKEN, "3000", "3001"))
    assert made.quote(0).bid is None
    made.on_state(KRAKEN, LIVE)
    assert venues(made.quote(0).bid) == ["kraken"]


def test_tether_is_no_dollar_without_a_leg_that_is_priced() -> None:
    made = consolidator(quote(KRAKEN, "3000", "3001"), quote(BINANCE, "3100", "3101"))
    assert venues(made.quote(SECOND).bid) == ["kraken"]
    assert reasons(made.quote(SECOND))[BINANCE] == "no rate between USDT and USD is priced now"
    made.on_quote(quote(TETHER, "0.9990", "0.9995"))
    found = made.quote(SECOND)
    assert (venues(found.bid), price(found.bid)) == (["binance"], Fraction("3096.9"))
    assert price(found.ask) == 3001
    assert [part.leg and part.leg.instrument for part in found.parts] == [None, TETHER]
    made.on_state(TETHER, state(Connection.DOWN, Proof.STALE))
    assert venues(made.quote(SECOND).bid) == ["kraken"]


def test_bid_is_converted_by_the_legs_bid_and_ask_by_its_ask() -> None:
    found = consolidated(quote(OKX, "3000.0", "3000.5"), quote(TETHER, "0.9990", "0.9995"))
    assert (price(found.bid), price(found.ask)) == (3000 * Fraction("0.999"), Fraction("3000.5") * Fraction("0.9995"))


def test_leg_written_the_other_way_round_divides_exactly() -> None:
    found = consolidated(quote(BYBIT, "3000", "3001"), quote(CIRCLE, "0.9997", "1.0003"))
    assert price(found.bid) == 3000 / Fraction("1.0003")
    assert price(found.ask) == 3001 / Fraction("0.9997")


def test_second_rate_stands_in_while_the_first_is_not_priced() -> None:
    made = consolidator(quote(OKX, "3000", "3001"), quote(TETHER, "0.99", "1.00"), quote(TETHER_TOO, "0.98", "1.01"))
    assert price(made.quote(SECOND).bid) == 2970
    made.on_state(TETHER, state(Connection.LIVE, Proof.SUSPECT))
    assert price(made.quote(SECOND).bid) == 2940
    made.on_state(TETHER, LIVE)
    made.on_quote(quote(TETHER, "0.99", "1.00"))
    assert price(made.quote(SECOND).bid) == 2970


def test_crossed_market_says_with_which_venues_and_since_when() -> None:
    made = consolidator(quote(KRAKEN, "3000.00", "3001.00", recv_ns=SECOND))
    made.on_quote(quote(COINBASE, "3001.50", "3002.00", recv_ns=3 * SECOND))
    made.on_quote(quote(COINBASE, "3001.40", "3002.00", recv_ns=4 * SECOND))
    found = made.quote(5 * SECOND)
    assert (found.market, found.since_ns, found.lived_ns) == (Market.CROSSED, 3 * SECOND, 2 * SECOND)
    assert (venues(found.bid), venues(found.ask)) == (["coinbase"], ["kraken"])
    assert found.spread == Fraction("-0.4")
    made.on_state(COINBASE, state(Connection.DOWN, Proof.STALE, "cut", 6 * SECOND))
    after = made.quote(7 * SECOND)
    assert (after.market, after.since_ns) == (Market.OPEN, 6 * SECOND)


def test_locked_market_is_told_from_a_crossed_one() -> None:
    made = consolidator(quote(KRAKEN, "3000.0", "3001.0"), quote(COINBASE, "3001.00", "3002.00"))
    assert made.quote(SECOND).market is Market.LOCKED


def test_market_that_is_crossed_by_less_than_the_fees_is_open_after_them() -> None:
    made = consolidator(quote(KRAKEN, "3000", "3001"), quote(COINBASE, "3002", "3003"))
    assert made.quote(SECOND).market is Market.CROSSED
    found = made.quote_after_fees(SECOND)
    assert (found.market, found.after_fees) == (Market.OPEN, True)
    assert price(found.bid) == 3000 * (1 - Fraction("0.0026"))
    assert price(found.ask) == 3001 * (1 + Fraction("0.0026"))


def test_cheaper_venue_is_best_after_fees() -> None:
    made = consolidator(
        quote(COINBASE, "3000", "3001"), quote(OKX, "2999", "3002"), quote(TETHER, "1.0", "1.1"), fees={**FEES, "kraken": 0}
    )
    assert venues(made.quote(SECOND).bid) == ["coinbase"]
    assert venues(made.quote_after_fees(SECOND).bid) == ["okx"]


def test_fee_of_the_leg_counts_too() -> None:
    made = consolidator(quote(OKX, "3000", "3001"), quote(TETHER, "1.0", "1.1"))
    assert price(made.quote_after_fees(SECOND).bid) == 3000 * (1 - Fraction("0.001")) * (1 - Fraction("0.0026"))


def test_microprice_leans_to_the_side_with_less() -> None:
    found = consolidated(quote(KRAKEN, "100", "102", ("3", "1")))
    assert (found.mid, found.microprice, found.spread) == (Fraction(101), Fraction("101.5"), Fraction(2))
    empty = consolidated()
    assert (empty.mid, empty.microprice, empty.spread, empty.oldest_ns) == (None, None, None, 0)


def test_age_of_a_part_is_that_of_the_older_of_quote_and_leg() -> None:
    made = consolidator(quote(TETHER, "1.0", "1.1", recv_ns=SECOND), quote(OKX, "3000", "3001", recv_ns=3 * SECOND))
    made.on_quote(quote(KRAKEN, "3000", "3001", recv_ns=4 * SECOND))
    found = made.quote(5 * SECOND)
    assert [(part.venue, found.age_ns(part)) for part in found.parts] == [("kraken", SECOND), ("okx", 4 * SECOND)]
    assert found.oldest_ns == 4 * SECOND


def test_quote_that_is_too_old_is_left_out_where_a_limit_is_set() -> None:
    made = consolidator(quote(KRAKEN, "3000", "3001"), quote(COINBASE, "2990", "3010", recv_ns=2 * SECOND), max_age_ns=5 * SECOND)
    assert venues(made.quote(5 * SECOND).bid) == ["kraken"]
    found = made.quote(6 * SECOND)
    assert (venues(found.bid), reasons(found)[KRAKEN]) == (["coinbase"], "its quote is 6 s old")
    made.on_quote(quote(KRAKEN, "3000", "3001", recv_ns=7 * SECOND))
    assert venues(made.quote(7 * SECOND).bid) == ["kraken"]
    assert made.quote(13 * SECOND).market is Market.EMPTY


def test_leg_that_is_too_old_gives_way_to_the_next() -> None:
    made = consolidator(
        quote(TETHER, "0.99", "1.00"), quote(TETHER_TOO, "0.98", "1.01", recv_ns=4 * SECOND), max_age_ns=5 * SECOND
    )
    made.on_quote(quote(OKX, "3000", "3001", recv_ns=4 * SECOND))
    assert price(made.quote(5 * SECOND).bid) == 2970
    assert price(made.quote(6 * SECOND).bid) == 2940


def test_instrument_that_was_not_named_is_not_taken() -> None:
    made = Consolidator(("ETH", "USD"), [KRAKEN], FEES)
    made.on_state(COINBASE, LIVE)
    made.on_quote(quote(COINBASE, "3000", "3001"))
    assert (made.hears(COINBASE), made.hears(KRAKEN)) == (False, True)
    assert [each.instrument for each in made.quote(0).left_out] == [KRAKEN]


@pytest.mark.parametrize(
    ("books", "rates", "fees", "words"),
    [
        ([TETHER], [], FEES, "kraken USDT/USD is no book of ETH"),
        ([KRAKEN], [OKX], FEES, "okx ETH-USDT is no rate of USD"),
        ([KRAKEN], [], {}, "kraken: a taker fee"),
        ([KRAKEN], [], {"kraken": PIPS}, "not 1000000"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    books: list[Instrument], rates: list[Instrument], fees: dict[str, int], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        Consolidator(("ETH", "USD"), books, fees, rates)
