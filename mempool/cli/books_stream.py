"""The order books of a moment as lines, and as objects of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from mempool.model.book import BookState, Connection, Instrument, Quote, scaled_text
from mempool.model.display import display

if TYPE_CHECKING:
    from fractions import Fraction

    from mempool.engine.books_followed import Row
    from mempool.engine.books_live import LiveBooks
    from mempool.model.consolidated import Best, ConsolidatedQuote

SCHEMA = "mempool.quotes/1"
PRICE_DECIMALS = 6
"""Of a price over several venues, which may be a ratio that ends nowhere."""


def quote_object(quote: Quote) -> dict[str, Any]:
    """A line of the stream: one book's best quote."""
    texts = dict(zip(("bid", "bid_size", "ask", "ask_size"), quote_texts(quote), strict=True))
    stamps = {"proof": quote.proof, "recv_ns": quote.recv_ns, "event_ns": quote.event_ns or None}
    return {**_head("quote", quote.instrument), **texts, **stamps}


def state_object(instrument: Instrument, state: BookState) -> dict[str, Any]:
    """A line of the stream: one book's state; where it is not priced, its last quote is void."""
    words = {"connection": state.connection, "proof": state.proof, "priced": state.is_priced, "reason": state.reason}
    return {**_head("state", instrument), **words, "since_ns": state.since_ns}


def best_object(best: ConsolidatedQuote) -> dict[str, Any]:
    """A line of the stream: the best over the venues; null where no book is priced."""
    return {
        "schema": SCHEMA,
        "type": "best",
        "pair": best.pair,
        "bid": price_text(best.bid) or None,
        "bid_size": _size(best.bid) or None,
        "bid_venues": _names(best.bid),
        "ask": price_text(best.ask) or None,
        "ask_size": _size(best.ask) or None,
        "ask_venues": _names(best.ask),
        "market": best.market,
        "left_out": [{"venue": each.instrument.venue, "reason": each.reason} for each in best.left_out],
        "now_ns": best.now_ns,
    }


def plain_lines(books: LiveBooks, rows: Iterable[Row], now_ns: int) -> Iterator[str]:
    """A line a book for where there is no terminal, then one a pair."""
    for row in rows:
        where = f"{row.instrument.venue} {row.instrument.pair}"
        if row.quote is None:
            yield f"{where}: {_words(row.state)}"
        else:
            bid, bid_size, ask, ask_size = quote_texts(row.quote)
            yield f"{where}: {_words(row.state)}; bid {bid} x {bid_size}, ask {ask} x {ask_size}"
    for best in books.consolidated(now_ns):
        if best.bid and best.ask:
            bid, ask = f"{price_text(best.bid)} ({venue_names(best.bid)})", f"{price_text(best.ask)} ({venue_names(best.ask)})"
            yield f"best {best.pair}: {best.market}; bid {bid}, ask {ask}"


def quote_texts(quote: Quote) -> list[str]:
    """Bid, its size, ask, its size, with all their decimals."""
    return [
        scaled_text(quote.bid_price, quote.price_decimals),
        scaled_text(quote.bid_size, quote.size_decimals),
        scaled_text(quote.ask_price, quote.price_decimals),
        scaled_text(quote.ask_size, quote.size_decimals),
    ]


def price_text(best: Best | None) -> str:
    """Rounded half to even; empty without one."""
    return "" if best is None else _rounded(best.exact_price)


def venue_names(best: Best) -> str:
    return "+".join(_names(best))


def _rounded(value: Fraction) -> str:
    text = scaled_text(round(value * 10**PRICE_DECIMALS), PRICE_DECIMALS)
    return text.rstrip("0").rstrip(".")


def _words(state: BookState) -> str:
    words = f"{state.connection}, {state.proof}" if state.connection is Connection.LIVE else str(state.connection)
    return f"{words} ({display(state.reason, 200)})" if state.reason else words


def _size(best: Best | None) -> str:
    return "" if best is None else scaled_text(best.size, best.size_decimals)


def _names(best: Best | None) -> list[str]:
    return [] if best is None else [instrument.venue for instrument, _ in best.shares]


def _head(kind: str, instrument: Instrument) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "type": kind,
        "venue": instrument.venue,
        "symbol": instrument.symbol,
        "pair": instrument.pair,
    }
