"""Cycles over order books: the size that gains most, exactly, and whether the gain may be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from mempool.books.depth import BookDepth
from mempool.books.money import POWERS, FeesPips
from mempool.model.arbitrage import ArbitrageKind, BookArbitrage, BookTrade, Rejection, Route
from mempool.model.consolidated import PIPS, Trade

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000


class BookView(Struct, frozen=True):
    """The books that are priced at one moment, and since when which cycles have gained."""

    books: Sequence[BookDepth]
    now_ns: int
    """Of the receive clock."""
    gaining_since: Mapping[Route, int] = {}
    """Of earlier findings and near misses; a cycle that is not in it gains since now."""


class Terms(Struct, frozen=True):
    """What a finding must hold to."""

    money: str
    """What profits are counted in wherever a cycle passes it."""
    fees: FeesPips
    """The taker's fee of every venue."""
    max_age_ns: int = 5 * SECOND_NS
    skew_ns: int = 0
    """How far apart the messages of two venues about one moment may arrive."""
    min_profit: Mapping[str, Fraction] = {}
    """By the asset that the profit is in; any profit will do where it is not named."""


class Step(Struct, frozen=True):
    """One book on one side: a purchase turns its quote asset into its base asset, a sale the other way."""

    book: BookDepth
    trade: Trade

    @property
    def asset_in(self) -> str:
        instrument = self.book.instrument
        return instrument.quote if self.trade is Trade.BUY else instrument.base

    @property
    def asset_out(self) -> str:
        instrument = self.book.instrument
        return instrument.base if self.trade is Trade.BUY else instrument.quote


def judged(kind: ArbitrageKind, steps: Sequence[Step], view: BookView, terms: Terms) -> BookArbitrage | None:
    """The finding or near miss of one cycle of steps; None where it gains nothing even without fees."""
    if not _may_gain(steps):
        return None
    gross = _best_size([_Walk(step, 0) for step in steps])
    fees = [terms.fees[step.book.instrument.venue] for step in steps]
    walks = _best_size([_Walk(step, fee) for step, fee in zip(steps, fees, strict=True)])
    if not walks[0].amount_in:
        _put_through(walks, gross[0].amount_in)
    route = tuple([(step.book.instrument, step.trade) for step in steps])
    found = BookArbitrage(
        kind=kind,
        money=steps[0].asset_in,
        trades=tuple([walk.result(view.now_ns) for walk in walks]),
        gross_profit=gross[-1].amount_out - gross[0].amount_in,
        net_profit=walks[-1].amount_out - walks[0].amount_in,
        may_be_more=any(walk.is_at_the_end_of_a_list for walk in walks),
        lived_ns=view.now_ns - view.gaining_since.get(route, view.now_ns),
    )
    rejection, note = _rejection(found, terms)
    return replace(found, rejection=rejection, note=note) if rejection else found


def _may_gain(steps: Sequence[Step]) -> bool:
    """Whether the best prices bring more than one for one, without fees."""
    out, put_in = 1, 1
    for step in steps:
        levels = step.book.side(step.trade)
        if not levels:
            return False
        unit = POWERS[step.book.price_decimals]
        price = levels[0].price
        out, put_in = (out * unit, put_in * price) if step.trade is Trade.BUY else (out * price, put_in * unit)
    return out > put_in


class _Walk:
    """One step on its way down the levels; amounts are of the step's assets, its fee in them."""

    __slots__ = ("_fee", "_levels", "_price", "amount_in", "amount_out", "left", "rate", "step", "worst_price")

    def __init__(self, step: Step, fee_pips: int) -> None:
        self.step = step
        self._fee = Fraction(PIPS + step.trade.value * fee_pips, PIPS)
        self._levels = iter(step.book.side(step.trade))
        self.amount_in = self.amount_out = self.worst_price = Fraction()
        self._enter_level()

    @property
    def is_at_the_end_of_a_list(self) -> bool:
        return not self.rate and self.step.book.goes_on(self.step.trade)

    def take(self, amount_in: Fraction) -> Fraction:
        """Put in what the level has room for, at most; what comes out."""
        amount_out = amount_in * self.rate
        self.amount_in += amount_in
        self.amount_out += amount_out
        self.left -= amount_in
        self.worst_price = self._price
        if not self.left:
            self._enter_level()
        return amount_out

    def result(self, now_ns: int) -> BookTrade:
        book = self.step.book
        age_ns = now_ns - book.recv_ns
        return BookTrade(book.instrument, self.step.trade, self.amount_in, self.amount_out, self.worst_price, age_ns)

    def _enter_level(self) -> None:
        """`rate` is what comes out of the level for one put in, 0 behind the last; `left` what may be put in."""
        level = next(self._levels, None)
        if level is None:
            self.rate = self.left = Fraction()
            return
        book = self.step.book
        size = Fraction(level.size, POWERS[book.size_decimals])
        self._price = Fraction(level.price, POWERS[book.price_decimals])
        taken = self._price * self._fee
        self.rate, self.left = (1 / taken, size * taken) if self.step.trade is Trade.BUY else (taken, size)


def _best_size(walks: Sequence[_Walk]) -> Sequence[_Walk]:
    """Go on as long as one put in brings more than one: the rates only fall, so this is the most that there is to gain."""
    while True:
        rate, room = Fraction(1), None
        for walk in walks:
            if not walk.rate:
                return walks
            room = walk.left / rate if room is None else min(room, walk.left / rate)
            rate *= walk.rate
        if rate <= 1 or room is None:
            return walks
        amount = room
        for walk in walks:
            amount = walk.take(amount)


def _put_through(walks: Sequence[_Walk], amount: Fraction) -> None:
    """Trade a given amount all through; with fees it meets no more levels than it did without."""
    for walk in walks:
        while amount and walk.rate:
            part = min(amount, walk.left)
            walk.take(part)
            amount -= part
        amount = walk.amount_out


def _rejection(found: BookArbitrage, terms: Terms) -> tuple[Rejection | None, str]:
    least = terms.min_profit.get(found.money, Fraction())
    oldest = max(found.trades, key=lambda trade: trade.age_ns)
    if found.net_profit <= 0:
        return Rejection.FEES, f"the fees are more than the {float(found.gross_profit):.8g} {found.money} between the prices"
    if oldest.age_ns > terms.max_age_ns:
        name = f"{oldest.instrument.venue} {oldest.instrument.symbol}"
        return Rejection.STALE, f"nothing has been heard of {name} for {oldest.age_ns / SECOND_NS:.1f} s"
    if found.lived_ns < terms.skew_ns:
        lived, skew = (each / MILLISECOND_NS for each in (found.lived_ns, terms.skew_ns))
        return Rejection.SKEW, f"it has lived {lived:.1f} ms, and messages may be {skew:.1f} ms apart"
    if found.net_profit < least:
        return Rejection.TOO_SMALL, f"it gains less than {float(least):.8g} {found.money}"
    return None, ""
