"""Books, terms and a plain reference for the tests of arbitrage between order books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from hypothesis import strategies as st

from mempool.books.depth import BookDepth
from mempool.books.view import BooksView
from mempool.detect import BookCycles
from mempool.detect.book_cycles import Terms, judged
from mempool.detect.priced_books import PricedBooks
from mempool.model.arbitrage import BookArbitrage, Route
from mempool.model.book import Instrument, Level, Proof, Quote
from mempool.model.consolidated import PIPS, Trade
from tests.books.venues import FEES, SECOND, scaled

Segments = list[tuple[Fraction, Fraction]]
"""What comes out for one put in, and how much may be put in, best first."""

NOW = 100 * SECOND
TERMS = Terms("USD", FEES, skew_ns=0)
FEELESS = Terms("USD", dict.fromkeys(FEES, 0), skew_ns=0)
Texts = Sequence[tuple[str, str]]


def book(instrument: Instrument, bids: Texts = (), asks: Texts = (), recv_ns: int = NOW) -> BookDepth:
    """From texts of prices with two decimals and whole sizes."""
    levels = [tuple(Level(scaled(price)[0], int(size)) for price, size in side) for side in (bids, asks)]
    return BookDepth(instrument, levels[0], levels[1], 2, 0, recv_ns=recv_ns)


def view(*books: BookDepth, now_ns: int = NOW) -> BooksView:
    """Of those books that have both sides, as a book has that is priced."""
    quotes = {each.instrument: best_of(each) for each in books if each.bids and each.asks}
    return BooksView(quotes, {each.instrument: each for each in books}.get, now_ns)


def best_of(depth: BookDepth) -> Quote:
    bid, ask = depth.bids[0], depth.asks[0]
    decimals = (depth.price_decimals, depth.size_decimals)
    return Quote(depth.instrument, bid.price, bid.size, ask.price, ask.size, *decimals, Proof.VERIFIED, depth.recv_ns)


def findings(
    cycles: BookCycles, books: Sequence[BookDepth], cause: Instrument, terms: Terms, since: Mapping[Route, int] | None = None
) -> list[BookArbitrage]:
    """What the cycles through the cause come to; one that is not in `since` gains since now."""
    priced = PricedBooks([each.instrument for each in books], terms)
    made = [judged(each, view(*books), terms, (since or {}).get(each.route, NOW)) for each in cycles(cause, priced)]
    return [one for one in made if one is not None]


@st.composite
def books_around(draw: st.DrawFn, instrument: Instrument, middle: int, most: int = 20) -> BookDepth:
    """An uncrossed book with up to five levels a side, its prices within a fifth of `middle`."""
    decimals, size_decimals = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    unit = 10**decimals
    bid = draw(st.integers(middle * unit * 4 // 5, middle * unit * 6 // 5))
    gaps = st.lists(st.integers(1, max(2, middle * unit // 40)), min_size=1, max_size=5)
    sizes = st.integers(1, most)
    asks, bids, price = [], [], bid
    for gap in draw(gaps):
        price += gap
        asks.append(Level(price, draw(sizes)))
    price = bid
    for gap in draw(gaps):
        if price > 0:
            bids.append(Level(price, draw(sizes)))
        price -= gap
    return BookDepth(instrument, tuple(bids), tuple(asks), decimals, size_decimals, recv_ns=NOW)


def segments(depth: BookDepth, trade: Trade, fee_pips: int) -> Segments:
    """One book on one side with the fee in the quote asset: on top of what is paid, off what is received."""
    made: Segments = []
    for level in depth.side(trade):
        price, size = Fraction(level.price, 10**depth.price_decimals), Fraction(level.size, 10**depth.size_decimals)
        if trade is Trade.BUY:
            cost = price * (PIPS + fee_pips) / PIPS
            made.append((1 / cost, size * cost))
        else:
            made.append((price * (PIPS - fee_pips) / PIPS, size))
    return made


def forward(levels: Segments, amount: Fraction) -> Fraction | None:
    """What comes out of an amount; None where there is not so much room."""
    out = Fraction()
    for rate, room in levels:
        part = min(room, amount)
        out, amount = out + part * rate, amount - part
    return None if amount else out


def backward(levels: Segments, wanted: Fraction) -> Fraction | None:
    """What is to be put in for an amount to come out."""
    put_in = Fraction()
    for rate, room in levels:
        part = min(room, wanted / rate)
        put_in, wanted = put_in + part, wanted - part * rate
    return None if wanted else put_in


def gain_of(chain: Sequence[Segments], amount: Fraction) -> Fraction | None:
    out: Fraction | None = amount
    for levels in chain:
        out = None if out is None else forward(levels, out)
    return None if out is None else out - amount


def most_by_trying(chain: Sequence[Segments]) -> Fraction:
    """The gain is a concave line of straight pieces, so the most is at one of its corners: where some level ends."""
    best = Fraction()
    for place, levels in enumerate(chain):
        filled = Fraction()
        for _, room in levels:
            filled += room
            amount: Fraction | None = filled
            for earlier in reversed(chain[:place]):
                amount = None if amount is None else backward(earlier, amount)
            gain = None if amount is None else gain_of(chain, amount)
            best = max(best, gain or Fraction())
    return best


def assert_is_the_most(found: BookArbitrage, books: Sequence[BookDepth], terms: Terms) -> None:
    """Its trades follow from each other, each is what its book gives, and no other size gains more."""
    by_instrument = {each.instrument: each for each in books}
    chain = [segments(by_instrument[each.instrument], each.trade, terms.fees[each.instrument.venue]) for each in found.trades]
    free = [segments(by_instrument[each.instrument], each.trade, 0) for each in found.trades]
    for trade, levels in zip(found.trades, chain, strict=True):
        assert forward(levels, trade.amount_in) == trade.amount_out
    for trade, following in zip(found.trades, found.trades[1:], strict=False):
        assert (trade.asset_out, trade.amount_out) == (following.asset_in, following.amount_in)
    first, last = found.trades[0], found.trades[-1]
    assert first.asset_in == last.asset_out == found.money
    assert last.amount_out - first.amount_in == found.net_profit
    assert found.gross_profit == most_by_trying(free) > 0
    most = most_by_trying(chain)
    assert found.net_profit == most if most else found.net_profit <= 0
