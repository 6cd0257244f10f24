"""The order books of a moment as lines, and as objects of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mempool.cli.books_texts import exact_text, names, price_text, size_lines, venue_names
from mempool.engine.books_look import BAND_BPS
from mempool.model.book import BookState, Connection, Instrument, Quote, scaled_text
from mempool.model.display import display

if TYPE_CHECKING:
    from fractions import Fraction

    from mempool.books.ladder import Taken
    from mempool.engine.books_followed import Row
    from mempool.engine.books_look import BothSides, MarketLook
    from mempool.model.consolidated import Best, ConsolidatedQuote

SCHEMA = "mempool.quotes/1"


def quote_object(quote: Quote) -> dict[str, Any]:
    """A line of the stream: one book's best quote."""
    texts = dict(zip(("bid", "bid_size", "ask", "ask_size"), quote_texts(quote), strict=True))
    stamps = {"proof": quote.proof, "recv_ns": quote.recv_ns, "event_ns": quote.event_ns or None}
    return {**_head("quote", quote.instrument), **texts, **stamps}


def state_object(instrument: Instrument, state: BookState) -> dict[str, Any]:
    """A line of the stream: one book's state; where it is not priced, its last quote is void."""
    words = {"connection": state.connection, "proof": state.proof, "priced": state.is_priced, "reason": state.reason}
    return {**_head("state", instrument), **words, "since_ns": state.since_ns}


def best_object(look: MarketLook) -> dict[str, Any]:
    """A line of the stream: the best over the venues; null where no book is priced."""
    best = look.best
    return {
        "schema": SCHEMA,
        "type": "best",
        "pair": best.pair,
        **_side("bid", best.bid),
        **_side("ask", best.ask),
        "microprice": exact_text(best.microprice),
        "spread": exact_text(best.spread),
        "market": best.market,
        "since_ns": best.since_ns,
        "after_fees": _after_fees(look.after_fees),
        "depth": _depth(look.near),
        **({} if look.size is None else {"size": _sized(look.size, look.sized)}),
        "legs": _legs(best),
        "left_out": [{"venue": each.instrument.venue, "reason": each.reason} for each in best.left_out],
        "now_ns": best.now_ns,
    }


def plain_lines(looks: Sequence[MarketLook], rows: Iterable[Row]) -> Iterator[str]:
    """A line a book for where there is no terminal, then those of each pair."""
    for row in rows:
        where = f"{row.instrument.venue} {row.instrument.pair}"
        if row.quote is None:
            yield f"{where}: {_words(row.state)}"
        else:
            bid, bid_size, ask, ask_size = quote_texts(row.quote)
            yield f"{where}: {_words(row.state)}; bid {bid} x {bid_size}, ask {ask} x {ask_size}"
    for look in looks:
        if look.best.bid:
            yield f"best {look.best.pair}: {_best_text(look.best)}; after fees {_best_text(look.after_fees)}"
        yield from size_lines(look, with_average=True)


def quote_texts(quote: Quote) -> list[str]:
    """Bid, its size, ask, its size, with all their decimals."""
    return [
        scaled_text(quote.bid_price, quote.price_decimals),
        scaled_text(quote.bid_size, quote.size_decimals),
        scaled_text(quote.ask_price, quote.price_decimals),
        scaled_text(quote.ask_size, quote.size_decimals),
    ]


def _words(state: BookState) -> str:
    words = f"{state.connection}, {state.proof}" if state.connection is Connection.LIVE else str(state.connection)
    return f"{words} ({display(state.reason, 200)})" if state.reason else words


def _best_text(best: ConsolidatedQuote) -> str:
    bid, ask = f"{price_text(best.bid)} ({venue_names(best.bid)})", f"{price_text(best.ask)} ({venue_names(best.ask)})"
    return f"{best.market}, bid {bid}, ask {ask}"


def _side(name: str, best: Best | None) -> dict[str, Any]:
    if best is None:
        return {name: None, f"{name}_size": None, f"{name}_venues": [], f"{name}_split": []}
    split = [{"venue": book.venue, "size": scaled_text(size, best.size_decimals)} for book, size in best.shares]
    size = scaled_text(best.size, best.size_decimals)
    return {name: exact_text(best.exact_price), f"{name}_size": size, f"{name}_venues": names(best), f"{name}_split": split}


def _after_fees(best: ConsolidatedQuote) -> dict[str, Any]:
    prices = {"bid": best.bid and exact_text(best.bid.exact_price), "ask": best.ask and exact_text(best.ask.exact_price)}
    return {**prices, "bid_venues": names(best.bid), "ask_venues": names(best.ask), "market": best.market}


def _depth(near: BothSides | None) -> dict[str, Any] | None:
    if near is None:
        return None
    return {"bps": BAND_BPS, **{name: _near(taken) for name, taken in (("bid", near.sale), ("ask", near.purchase))}}


def _near(taken: Taken) -> dict[str, Any]:
    return {"size": exact_text(taken.filled), "certain": taken.is_certain, "split": _split(taken)}


def _sized(size: Fraction, sized: BothSides | None) -> dict[str, Any]:
    both = (None, None) if sized is None else (_taken(sized.sale), _taken(sized.purchase))
    return {"base": exact_text(size), "sell": both[0], "buy": both[1]}


def _taken(taken: Taken) -> dict[str, Any]:
    return {
        "filled": exact_text(taken.filled),
        "unfilled": exact_text(taken.unfilled),
        "vwap": exact_text(taken.vwap),
        "worst": exact_text(taken.worst_price),
        "certain": taken.is_certain,
        "fills": _split(taken),
    }


def _split(taken: Taken) -> list[dict[str, str | None]]:
    return [{"venue": instrument.venue, "size": exact_text(size)} for instrument, size in taken.fills]


def _legs(best: ConsolidatedQuote) -> list[dict[str, Any]]:
    """The rates that books are converted by, each with those books' venues."""
    used: dict[Instrument, list[str]] = {}
    for part in best.parts:
        if part.leg is not None:
            used.setdefault(part.leg.instrument, []).append(part.venue)
    return [{"venue": leg.venue, "symbol": leg.symbol, "of": venues} for leg, venues in used.items()]


def _head(kind: str, instrument: Instrument) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "type": kind,
        "venue": instrument.venue,
        "symbol": instrument.symbol,
        "pair": instrument.pair,
    }
