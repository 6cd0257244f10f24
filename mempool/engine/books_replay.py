"""Plays a recording of one venue's frames through the session that a live connection has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mempool.engine.book_gaps import BookGaps
from mempool.exchanges import Exchange
from mempool.exchanges.events import BookEvent, Fault, StateChanged
from mempool.exchanges.exchange import SECOND_NS
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import Instrument, Quote, scaled_text
from mempool.model.record import BookGap

SCHEMA = "mempool.books/1"
TICK_NS = SECOND_NS // 10

OnQuote = Callable[[Instrument, Quote | None, int], None]
"""Takes each change of a book's best quote, None where it may not be priced any more, and when."""


OnEvent = Callable[[BookEvent], None]


def ignore(event: BookEvent) -> None:
    """For whoever asks for the quotes alone."""


def replay_frames(
    exchange: Exchange, frames: Iterable[tuple[int, bytes]], on_quote: OnQuote, on_event: OnEvent = ignore
) -> ExchangeSession:
    """The session after all frames. One without a stamp counts as received with the one before.

    A REST answer goes to the symbol that has waited longest; where none waits yet, to the first that does.
    """
    session = ExchangeSession(exchange)
    told: dict[str, bool] = {}

    def tell(events: Iterable[BookEvent]) -> None:
        for event in events:
            on_event(event)
            _tell(event, told, on_quote)

    answer = b""
    last_ns = ticked_ns = 0
    for stamp_ns, frame in frames:
        recv_ns = stamp_ns or last_ns
        if not ticked_ns:
            session.connect(recv_ns)
            ticked_ns = recv_ns or 1
        elif recv_ns - ticked_ns >= TICK_NS:
            ticked_ns = recv_ns
            tell(session.tick(recv_ns))
        last_ns = recv_ns
        if exchange.rest is not None and exchange.rest.is_answer(frame):
            answer = frame
        else:
            tell(session.receive(frame, recv_ns))
        if answer and (symbol := _waiting_symbol(session)):
            tell(session.snapshot(symbol, answer, recv_ns))
            answer = b""
    return session


def _waiting_symbol(session: ExchangeSession) -> str:
    waiting = [keeper for keeper in session.keepers.values() if keeper.is_awaiting]
    return min(waiting, key=lambda keeper: keeper.state.since_ns).instrument.symbol if waiting else ""


def _tell(event: BookEvent, told: dict[str, bool], on_quote: OnQuote) -> None:
    """`told` says of each symbol whether a quote of it stands."""
    if isinstance(event, Quote):
        told[event.instrument.symbol] = True
        on_quote(event.instrument, event, event.recv_ns)
    elif isinstance(event, StateChanged) and not event.state.is_priced and told.pop(event.instrument.symbol, False):
        on_quote(event.instrument, None, event.state.since_ns)


def replay_gaps(exchange: Exchange, frames: Iterable[tuple[int, bytes]]) -> tuple[list[BookGap], int]:
    """Every gap of a recording, as a run would have stored it, and the last frame's stamp."""
    found: dict[int, BookGap] = {}
    gaps = BookGaps(lambda gap: found.update({gap.number: gap}))
    until_ns = 0

    def stamped() -> Iterator[tuple[int, bytes]]:
        nonlocal until_ns
        for recv_ns, frame in frames:
            until_ns = recv_ns or until_ns
            yield recv_ns, frame

    def hear(event: BookEvent) -> None:
        if isinstance(event, Quote | StateChanged | Fault):
            gaps.hear(exchange.name, event)

    replay_frames(exchange, stamped(), lambda instrument, quote, recv_ns: None, hear)
    gaps.settle()
    return sorted(found.values(), key=lambda gap: gap.from_ns), until_ns


def report(session: ExchangeSession) -> dict[str, object]:
    """The one document of a replay. `bid` and `ask` are those of the first symbol; null where it may not be priced."""
    counts = session.counts
    books = [_book(session, symbol) for symbol in session.keepers]
    first = books[0] if books else {"bid": None, "ask": None, "synced": False}
    return {
        "schema": SCHEMA,
        "exchange": session.exchange.name,
        "frames": counts.frames,
        "updates": counts.updates,
        "snapshots": counts.snapshots,
        "verified": counts.verified,
        "mismatches": counts.mismatches,
        "gaps": counts.gaps,
        "resyncs": counts.resyncs,
        "malformed": counts.malformed,
        "duplicates": counts.duplicates,
        "crossings": counts.crossings,
        "clock_jumps": counts.clock_jumps + session.clock.steps,
        "clock_offset_ns": session.clock.offset_ns,
        "bid": first["bid"],
        "ask": first["ask"],
        "synced": first["synced"],
        "oracle": {"comparisons": counts.comparisons, "matches": counts.matches},
        "reasons": dict(counts.reasons),
        "books": books,
    }


def _book(session: ExchangeSession, symbol: str) -> dict[str, object]:
    keeper = session.keepers[symbol]
    state, quote = keeper.state, keeper.quote()
    return {
        "symbol": symbol,
        "pair": keeper.instrument.pair,
        "connection": state.connection,
        "proof": state.proof,
        "reason": state.reason,
        "synced": keeper.has_synced,
        **quote_texts(quote, trims_zeros=session.exchange.trims_zeros),
        "levels": [len(keeper.book.bids.levels), len(keeper.book.asks.levels)],
    }


def quote_texts(quote: Quote | None, *, trims_zeros: bool) -> dict[str, str | None]:
    """Prices and sizes as the venue writes them; null without a quote."""
    if quote is None:
        return dict.fromkeys(("bid", "bid_size", "ask", "ask_size"))
    numbers = {
        "bid": scaled_text(quote.bid_price, quote.price_decimals),
        "bid_size": scaled_text(quote.bid_size, quote.size_decimals),
        "ask": scaled_text(quote.ask_price, quote.price_decimals),
        "ask_size": scaled_text(quote.ask_size, quote.size_decimals),
    }
    return {name: trimmed(text) if trims_zeros else text for name, text in numbers.items()}


def trimmed(text: str) -> str:
    """Without zeros at the end of the decimals."""
    return text.rstrip("0").rstrip(".") if "." in text else text
