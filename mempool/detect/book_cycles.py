"""Cycles over order books: the size that gains most, exactly, and whether the gain may be believed."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from mempool.books.depth import BookDepth
from mempool.books.money import POWERS, FeesPips
from mempool.books.view import BooksView
from mempool.detect.book_walk import Step, Walk
from mempool.model.arbitrage import ArbitrageKind, BookArbitrage, BookTrade, Rejection, Route
from mempool.model.book import Instrument, Quote
from mempool.model.consolidated import Ratio, Trade
from mempool.model.stamps import MILLISECOND_NS, SECOND_NS

SKEW_NS = 200 * MILLISECOND_NS
"""Binance's and OKX's books are sent every 100 ms, so that a message may be that old when it leaves, and the ways from two
venues on different continents differ by up to about as much again. The venues' own clocks do not enter: all stamps are ours."""


class Terms(Struct, frozen=True):
    """What a finding must hold to."""

    money: str
    """What profits are counted in wherever a cycle passes it."""
    fees: FeesPips
    """The taker's fee of every venue."""
    max_age_ns: int = 5 * SECOND_NS
    skew_ns: int = SKEW_NS
    """How far apart the messages of two books about one moment may arrive."""


class Cycle(Struct, frozen=True):
    """Books that can be traded one after the other, from an asset round to itself."""

    kind: ArbitrageKind
    route: Route


def asset_in(instrument: Instrument, trade: Trade) -> str:
    """What a purchase spends, or a sale sells."""
    return instrument.quote if trade is Trade.BUY else instrument.base


def asset_out(instrument: Instrument, trade: Trade) -> str:
    return instrument.base if trade is Trade.BUY else instrument.quote


def best_rate(quote: Quote, trade: Trade) -> Ratio:
    """What comes out for what is put in at the book's best price, without the fee."""
    unit = POWERS[quote.price_decimals]
    return (unit, quote.ask_price) if trade is Trade.BUY else (quote.bid_price, unit)


def judged(cycle: Cycle, view: BooksView, terms: Terms, since_ns: int) -> BookArbitrage | None:
    """The finding or near miss of a cycle that has gained since then; None where it gains nothing even without fees."""
    books = [depth for instrument, _ in cycle.route if (depth := view.depth(instrument)) is not None]
    if len(books) < len(cycle.route):
        return None
    gross = _walk(cycle, books, dict.fromkeys(terms.fees, 0))
    gross.to_the_best_size()
    if not gross.amounts[0]:
        return None
    net = _walk(cycle, books, terms.fees)
    net.to_the_best_size()
    if not net.amounts[0]:
        net.through(gross.amounts[0])
    found = BookArbitrage(
        kind=cycle.kind,
        money=asset_in(*cycle.route[0]),
        trades=net.trades(view.now_ns),
        gross_profit=gross.gain,
        net_profit=net.gain,
        may_be_more=net.may_be_more,
        lived_ns=view.now_ns - since_ns,
    )
    return _ruled(found, terms)


def judged_later(found: BookArbitrage, waited_ns: int, terms: Terms) -> BookArbitrage:
    """The same trades so much later, where the best prices have stood meanwhile: the gap is older, and so are its books."""
    trades = tuple([replace(trade, age_ns=trade.age_ns + waited_ns) for trade in found.trades])
    later = replace(found, trades=trades, lived_ns=found.lived_ns + waited_ns, rejection=None, note="")
    return _ruled(later, terms)


def oldest_trade(trades: Sequence[BookTrade]) -> BookTrade:
    """The one on the book that was heard of least lately."""
    return max(trades, key=lambda trade: trade.age_ns)


def silence(trade: BookTrade) -> str:
    """The age of a trade's book in words, where it is too high."""
    name = f"{trade.instrument.venue} {trade.instrument.symbol}"
    return f"nothing has been heard of {name} for {trade.age_ns / SECOND_NS:.1f} s"


def _walk(cycle: Cycle, books: Sequence[BookDepth], fees: FeesPips) -> Walk:
    trades = [trade for _, trade in cycle.route]
    return Walk([Step(book, trade, fees[book.instrument.venue]) for book, trade in zip(books, trades, strict=True)])


def _ruled(found: BookArbitrage, terms: Terms) -> BookArbitrage:
    rejection, note = _rejection(found, terms)
    return replace(found, rejection=rejection, note=note) if rejection else found


def _rejection(found: BookArbitrage, terms: Terms) -> tuple[Rejection | None, str]:
    if found.net_profit <= 0:
        return Rejection.FEES, f"the fees are more than the {float(found.gross_profit):.8g} {found.money} between the prices"
    if (oldest := oldest_trade(found.trades)).age_ns > terms.max_age_ns:
        return Rejection.STALE, silence(oldest)
    if found.lived_ns < terms.skew_ns:
        lived, skew = (each / MILLISECOND_NS for each in (found.lived_ns, terms.skew_ns))
        return Rejection.SKEW, f"it has lived {lived:.1f} ms, and messages may be {skew:.1f} ms apart"
    return None, ""
