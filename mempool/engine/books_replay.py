"""Plays a recording of one venue's frames through the session that a live connection has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import msgspec

from mempool.engine.book_gaps import BookGaps
from mempool.errors import BadData
from mempool.exchanges import Exchange
from mempool.exchanges.events import BookEvent, Fault, StateChanged
from mempool.exchanges.keeper import BookKeeper
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import BookUpdate, FloatLevel, Instrument, Quote, TextLevel, scaled_text
from mempool.model.record import BookGap
from mempool.model.stamps import SECOND_NS

SCHEMA = "mempool.books/1"
TICK_NS = SECOND_NS // 10
MOST_ANSWERS = 16
NEAR = 1_000_000
"""Update ids: half an hour of the busiest book of the recordings known here, which counts 530 a second."""
ALIKE = 1.5

OnQuote = Callable[[Instrument, Quote | None, int], None]
"""Takes each change of a book's best quote, None where it may not be priced any more, and when."""


OnEvent = Callable[[BookEvent], None]


def ignore(event: BookEvent) -> None:
    """For whoever asks for the quotes alone."""


def replay_frames(
    exchange: Exchange, frames: Iterable[tuple[int, bytes]], on_quote: OnQuote, on_event: OnEvent = ignore
) -> ExchangeSession:
    """The session after all frames. One without a stamp counts as received with the one before.

    A REST answer does not name its symbol: see `Answers`.
    """
    session = ExchangeSession(exchange)
    answers = Answers(session)
    told: dict[str, bool] = {}

    def tell(events: Iterable[BookEvent]) -> None:
        for event in events:
            on_event(event)
            _tell(event, told, on_quote)

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
            answers.hear(frame)
        else:
            tell(session.receive(frame, recv_ns))
        if answers.held:
            for symbol, answer in answers.wanted():
                tell(session.snapshot(symbol, answer, recv_ns))
    session.counts.frames += len(answers.held)
    return session


class Answers:
    """The REST answers of a recording that no book has taken yet, and whose they are: no answer names its symbol.

    Each symbol counts its update ids by itself, so that an answer is of the symbol whose ids are the nearest, among those with
    prices like its own. It is kept until that one waits for a snapshot; one that cannot be read goes to the symbol that has
    waited longest.
    """

    def __init__(self, session: ExchangeSession) -> None:
        self._session = session
        self.held: list[tuple[BookUpdate | None, bytes]] = []
        """Each as it reads, and its body."""

    def hear(self, body: bytes) -> None:
        self.held.append((_answered(self._session.exchange, body), body))
        if len(self.held) > MOST_ANSWERS:
            del self.held[0]
            self._session.counts.frames += 1

    def wanted(self) -> list[tuple[str, bytes]]:
        """Those that a book waits for, each with its symbol: the nearest of those for one symbol, or the last of them."""
        found: dict[str, tuple[BookUpdate | None, bytes]] = {}
        for answer in reversed(self.held):
            keeper = self._owner(answer[0])
            if keeper is not None and keeper.is_awaiting:
                symbol = keeper.instrument.symbol
                other = found.get(symbol, answer)
                found[symbol] = answer if _ids_away(keeper, answer[0]) < _ids_away(keeper, other[0]) else other
        taken = list(found.values())
        self.held = [answer for answer in self.held if answer not in taken]
        return [(symbol, body) for symbol, (_, body) in found.items()]

    def _owner(self, answer: BookUpdate | None) -> BookKeeper | None:
        keepers = self._session.keepers.values()
        if answer is None:
            waiting = [keeper for keeper in keepers if keeper.is_awaiting]
            return min(waiting, key=lambda keeper: keeper.state.since_ns, default=None)
        near = [(away, keeper) for keeper in keepers if (away := _ids_away(keeper, answer)) <= NEAR]
        alike = [each for each in near if _is_priced_alike(each[1], answer)]
        return min(alike, key=lambda each: each[0])[1] if alike else None


def _answered(exchange: Exchange, body: bytes) -> BookUpdate | None:
    try:
        return exchange.rest.parse("", body) if exchange.rest is not None else None
    except (BadData, msgspec.DecodeError, ValueError, RecursionError):
        return None


def _ids_away(keeper: BookKeeper, answer: BookUpdate | None) -> int:
    """How far an answer's id is from those of the updates held, or else the book's; more than `NEAR` where none was heard."""
    if answer is None:
        return 0
    held, last, last_id = keeper.held, keeper.last_id, answer.last_id
    if held:
        return max(held[0].first_id - 1 - last_id, last_id - held[-1].last_id, 0)
    return abs(last_id - last) if last else NEAR + 1


def _is_priced_alike(keeper: BookKeeper, answer: BookUpdate) -> bool:
    """Whether some price of its last updates, or the book's, is within a factor of the answer's; True where one has none."""
    book = keeper.book
    told = [price for update in keeper.held[-8:] for price in _prices([*update.bids, *update.asks])]
    told += [best / 10**book.price_decimals for best in (book.bids.best_price, book.asks.best_price) if best]
    best = _prices([*answer.bids[:1], *answer.asks[:1]])
    return not told or not best or any(price / ALIKE < each < price * ALIKE for each in told for price in best)


def _prices(levels: Iterable[FloatLevel | TextLevel]) -> list[float]:
    """To compare by; what is none is left out: it is told of where it is applied."""
    prices = []
    for level in levels:
        with suppress(ValueError):
            prices.append(level.price if isinstance(level, FloatLevel) else float(level[0]))
    return prices


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
    """The one document of a replay. `bid` and `ask` are of the first symbol that had a book; null where it may not be priced."""
    counts = session.counts
    books = [_book(session, symbol) for symbol in session.keepers]
    nothing: dict[str, object] = {"bid": None, "ask": None, "synced": False}
    first = next((book for book in books if book["synced"]), books[0] if books else nothing)
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
