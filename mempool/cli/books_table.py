"""The order books of a moment as a table on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mempool.books.money import FeesPips
from mempool.cli.books_texts import amount_text, average_text, both_names, price_text, size_lines, size_text
from mempool.engine.books_followed import TREND_POINTS, Row
from mempool.engine.books_look import BAND_BPS
from mempool.model.book import BookState, Connection, Instrument, Proof, scaled_text
from mempool.model.consolidated import Market
from mempool.model.display import display, format_amount

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from mempool.engine.books_live import LiveBooks
    from mempool.engine.books_look import MarketLook
    from mempool.model.consolidated import ConsolidatedQuote

BARS = "▁▂▃▄▅▆▇█"
STYLES = {Connection.LIVE: "green", Connection.SYNCING: "yellow", Connection.CONNECTING: "yellow", Connection.DOWN: "red"}
PROOF_STYLES = {Proof.VERIFIED: "green", Proof.UNVERIFIABLE: "cyan", Proof.SUSPECT: "yellow"}
MARKET_STYLES = {Market.OPEN: "green", Market.LOCKED: "yellow", Market.CROSSED: "magenta", Market.EMPTY: "red"}
COLUMNS = {
    "venue": 0,
    "pair": 0,
    "state": 69,
    "bid": 0,
    "bid size": 120,
    "ask": 0,
    "ask size": 120,
    "age": 77,
    "gaps": 84,
    "trend": 100,
    "clock": 150,
}
"""And the width of the terminal from which on each is shown."""
WIDTHS = {
    "venue": 8,
    "pair": 12,
    "state": 17,
    "bid": 12,
    "bid size": 10,
    "ask": 12,
    "ask size": 10,
    "age": 6,
    "gaps": 4,
    "clock": 7,
}
"""At least so wide is each, so that the table stands still while its figures change; the trend has the rest."""
MARGIN = 2
PIPS_PER_PERCENT = 10_000

NAMES_WIDTH = 24
"""Where the trend has so much room, the venues of the best prices stand in its column, else below the table."""

Cells = dict[str, "str | Text"]
CountGaps = Callable[[Instrument], int]


def screen(
    books: LiveBooks, looks: Sequence[MarketLook], now_ns: int, columns: int, count_gaps: CountGaps | None = None
) -> Group:
    """The table, and below it what has no room in it, and why books are not priced.

    On a narrow terminal the sizes go first, then the trend, and the prices last: why a book has none stands below the table.
    `count_gaps` says how many of them a book had, where they were
    counted.
    """
    from rich.console import Group

    shown = [name for name, least in COLUMNS.items() if columns >= least and (name != "gaps" or count_gaps is not None)]
    table = _table(shown, columns)
    for each in _in_order(books, looks):
        if isinstance(each, Row):
            cells = _cells(each, now_ns, columns)
            cells["clock"] = _skew(books.skew_ns(each.instrument.venue))
            cells["gaps"] = _gaps(each.instrument, count_gaps)
            table.add_row(*(cells[name] for name in shown))
        else:
            for place, cells in enumerate(_look_rows(each, columns)):
                table.add_row(*(cells.get(name, "") for name in shown), style="" if place else "bold")
    return Group(table, *_remarks(books, looks, columns))


def _remarks(books: LiveBooks, looks: Sequence[MarketLook], columns: int) -> Iterator[Text]:
    """Those that are always there come first, so that they stand still."""
    from rich.text import Text

    for text in (*_market_remarks(books, looks, columns), *_reasons(books, looks)):
        yield Text(text, "dim", overflow="ellipsis", no_wrap=True)


def _market_remarks(books: LiveBooks, looks: Sequence[MarketLook], columns: int) -> Iterator[str]:
    for look in looks:
        if trend_points(columns) < NAMES_WIDTH and look.best.bid:
            yield f"{look.best.pair} is best at {both_names(look.best)}, after fees at {both_names(look.after_fees)}"
        yield from size_lines(look, with_average=False)
    fees: FeesPips = {venue: pips for market in books.markets for venue, pips in market.fees.items()}
    yield f"taker fees: {', '.join(f'{venue} {pips / PIPS_PER_PERCENT:g} %' for venue, pips in fees.items())}"


def _reasons(books: LiveBooks, looks: Sequence[MarketLook]) -> Iterator[str]:
    """Why books are not priced, or priced and yet left out."""
    for row in books.rows.values():
        if not row.quote:
            yield f"{row.instrument.venue} {row.instrument.pair}: {_reason(row.state)}"
    for look in looks:
        for each in look.best.left_out:
            if each.state is not None and each.state.is_priced:
                yield f"best {look.best.pair} without {each.instrument.venue}: {display(each.reason, 100)}"


def _in_order(books: LiveBooks, looks: Sequence[MarketLook]) -> Iterator[Row | MarketLook]:
    """The books of each pair and what is told of all of them, then the legs."""
    left = dict(books.rows)
    for market, look in zip(books.markets, looks, strict=True):
        yield from (left.pop(book) for book in market.books if book in left)
        yield look
    yield from left.values()


def _table(shown: Sequence[str], columns: int) -> Table:
    """Without rows."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in shown:
        right = name in ("bid", "ask", "age", "gaps", "clock") or name.endswith("size")
        least, most = (trend_points(columns),) * 2 if name == "trend" else (WIDTHS[name], None)
        title = name.removeprefix("bid ").removeprefix("ask ")
        made.add_column(title, justify="right" if right else "left", no_wrap=True, min_width=least, max_width=most)
    return made


def trend_points(columns: int) -> int:
    """How many of the trend's points a terminal of this width has room for."""
    others = sum(width + MARGIN for name, width in WIDTHS.items() if columns >= COLUMNS[name])
    return max(1, min(TREND_POINTS, columns - others))


def _gaps(instrument: Instrument, count_gaps: CountGaps | None) -> Text:
    from rich.text import Text

    gaps = 0 if count_gaps is None else count_gaps(instrument)
    return Text(f"{gaps:,}", "yellow" if gaps else "dim")


def _cells(row: Row, now_ns: int, columns: int) -> Cells:
    quote, state = row.quote, row.state
    since_ns = quote.recv_ns if quote is not None else state.since_ns
    return {
        "venue": row.instrument.venue,
        "pair": f"{row.instrument.pair} leg" if row.is_leg else row.instrument.pair,
        "state": state_text(state),
        "bid": "" if quote is None else short_price(quote.bid_price, quote.price_decimals),
        "bid size": "" if quote is None else format_amount(quote.bid_size, quote.size_decimals),
        "ask": "" if quote is None else short_price(quote.ask_price, quote.price_decimals),
        "ask size": "" if quote is None else format_amount(quote.ask_size, quote.size_decimals),
        "age": _age(now_ns - since_ns) if since_ns else "",
        "trend": sparkline([mid for _, mid in row.trend][-trend_points(columns) :]),
    }


def _look_rows(look: MarketLook, columns: int) -> Iterator[Cells]:
    """The best over the books of a pair, the same after fees, what is near the mid where sizes are shown, and the size."""
    best = {**_best_cells(look.best, columns), "venue": "best", "pair": look.best.pair}
    yield {**best, "age": _age(look.best.oldest_ns) if look.best.parts else ""}
    yield {**_best_cells(look.after_fees, columns), "pair": "after fees"}
    if columns >= COLUMNS["bid size"]:
        yield {"pair": f"in {BAND_BPS} bps", **_near_cells(look)}
    if look.size is not None:
        yield {"pair": size_text(look), **_size_cells(look)}


def _best_cells(best: ConsolidatedQuote, columns: int) -> Cells:
    bid, ask = best.bid, best.ask
    return {
        "state": _market(best),
        "bid": price_text(bid),
        "bid size": "" if bid is None else format_amount(bid.size, bid.size_decimals),
        "ask": price_text(ask),
        "ask size": "" if ask is None else format_amount(ask.size, ask.size_decimals),
        "trend": both_names(best) if trend_points(columns) >= NAMES_WIDTH else "",
    }


def _market(best: ConsolidatedQuote) -> Text:
    """With the time it has been so, where it is not as it should be."""
    from rich.text import Text

    lasts = f" {_age(best.lived_ns)}" if best.market in (Market.LOCKED, Market.CROSSED) else ""
    return Text(f"{best.market.value}{lasts}", MARKET_STYLES[best.market])


def _near_cells(look: MarketLook) -> Cells:
    """How much is offered on each side, or at least so much."""
    near = look.near
    if near is None:
        return {}
    bid, ask = (f"{'' if taken.is_certain else '≥'}{amount_text(taken.filled)}" for taken in (near.sale, near.purchase))
    return {"bid size": bid, "ask size": ask}


def _size_cells(look: MarketLook) -> Cells:
    """The average prices after fees of a sale and a purchase."""
    from rich.text import Text

    sized = look.sized
    if sized is None:
        return {}
    state = Text("partly filled", "yellow") if sized.sale.unfilled or sized.purchase.unfilled else Text("filled", "green")
    bid, ask = (average_text(trade, taken) for trade, taken in sized.by_trade())
    return {"state": state, "bid": bid, "ask": ask}


def state_text(state: BookState) -> Text:
    """The two words, each in its colour."""
    from rich.text import Text

    text = Text(state.connection.value, STYLES[state.connection])
    if state.connection is Connection.LIVE:
        text.append(" ").append(state.proof.value, PROOF_STYLES.get(state.proof, "red"))
    return text


def sparkline(mids: Sequence[float]) -> str:
    """The last mid prices, the lowest at the bottom; a price that never moved is a flat line."""
    if not mids:
        return ""
    low, span = min(mids), max(mids) - min(mids)
    return "".join(BARS[round((mid - low) / span * (len(BARS) - 1))] if span else BARS[0] for mid in mids)


def short_price(price: int, decimals: int) -> str:
    """Exactly, without zeros at the end beyond the second decimal."""
    text = scaled_text(price, decimals)
    return text[: len(text) - min(len(text) - len(text.rstrip("0")), max(0, decimals - 2))]


def _reason(state: BookState) -> str:
    return display(state.reason, 200) or state.proof.value


def _age(age_ns: int) -> str:
    seconds = max(0, age_ns) / 1e9
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _skew(skew_ns: int | None) -> str:
    """The venue's clock against ours, the way of its messages included: `-12 ms` is behind."""
    return "" if skew_ns is None else f"{-skew_ns / 1e6:+.0f} ms"
