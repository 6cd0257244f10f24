"""Books joined into one ladder: brought to common decimals, converted level by level, with fees or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from types import MappingProxyType

from msgspec import Struct

from mempool.books.depth import BookDepth, quotient
from mempool.books.ladder import Ladder, Rung, best_first, nearest
from mempool.books.money import FeesPips, check_fees, other_asset
from mempool.model.book import Instrument
from mempool.model.consolidated import PIPS, Exact, Trade

NO_FEES: FeesPips = MappingProxyType({})
_FEE_DECIMALS = 6


class _Part(Struct, frozen=True):
    """Rungs of one money, best first: prices by `decimals`, sizes by those of the ladder."""

    rungs: Sequence[Rung]
    decimals: int
    known_to: Exact | None


def ladder_of(
    trade: Trade, money: str, books: Sequence[BookDepth], legs: Sequence[BookDepth] = (), fees: FeesPips = NO_FEES
) -> Ladder:
    """The levels that the trade takes, in `money`. With `fees` (pips by venue) a purchase's are on top, a sale's off.

    A book in another quote asset joins through the first of the `legs` (rate books) of that asset: what a sale brings is
    sold there, the money for a purchase bought there, level by level and with that venue's fee. Books of one asset share
    what their leg has. Without a leg a book is left out. Raises `UsageError` where a venue's fee is missing.
    """
    if fees:
        check_fees(fees, [book.instrument for book in (*books, *legs)])
    leg_of: dict[str, BookDepth] = {}
    for leg in legs:
        leg_of.setdefault(other_asset(leg.instrument, money), leg)
    joined = [book for book in books if book.instrument.quote == money or book.instrument.quote in leg_of]
    size_decimals = max([book.size_decimals for book in joined], default=0)
    parts = []
    for asset in dict.fromkeys([book.instrument.quote for book in joined]):
        part = _direct(trade, [book for book in joined if book.instrument.quote == asset], size_decimals, fees)
        parts.append(part if asset == money else _Leg(trade, leg_of[asset], money, fees).convert(part, size_decimals))
    left_out = tuple([book.instrument for book in books if book not in joined])
    return _merged(trade, parts, size_decimals, left_out)


def _direct(trade: Trade, books: Sequence[BookDepth], size_decimals: int, fees: FeesPips) -> _Part:
    """Books of one quote asset, in that asset."""
    decimals = max([book.price_decimals for book in books])
    rungs: list[Rung] = []
    ends: list[int] = []
    for book in books:
        fee = PIPS + trade.value * fees[book.instrument.venue] if fees else 1
        scale, size_scale = fee * 10 ** (decimals - book.price_decimals), 10 ** (size_decimals - book.size_decimals)
        rungs += [Rung(level.price * scale, level.size * size_scale, book.instrument) for level in book.side(trade)]
        if book.goes_on(trade):
            ends.append(book.side(trade)[-1].price * scale)
    rungs = best_first(trade, rungs, attrgetter("price"))
    return _Part(rungs, decimals + (_FEE_DECIMALS if fees else 0), nearest(trade, ends))


class _Leg:
    """A rate book on the side that a trade needs of it."""

    def __init__(self, trade: Trade, leg: BookDepth, money: str, fees: FeesPips) -> None:
        self.trade, self.instrument = trade, leg.instrument
        self.is_inverse = leg.instrument.base == money
        side = trade.opposite if self.is_inverse else trade
        part = _direct(side, [leg], leg.size_decimals, fees)
        self.rungs, self.decimals = part.rungs, part.decimals
        self._square = 10 ** (2 * self.decimals)  # one over a price of these decimals is to have them too
        self.size_decimals, self.goes_on = leg.size_decimals, leg.goes_on(side)

    def convert(self, part: _Part, size_decimals: int) -> _Part:
        """The part's rungs in the ladder's money, cut where a level of the leg ends; what the leg has not got is lost."""
        made: list[Rung] = []
        known_to: Exact | None = None
        for rung, size, step in self._pieces(part.rungs, part.decimals + size_decimals):
            price = quotient(rung.price * self._square, step.price) if self.is_inverse else rung.price * step.price
            made.append(Rung(price, size, rung.instrument, self.instrument))
            if part.known_to is None or not self.trade.is_worse(rung.price, part.known_to):
                known_to = price
        is_whole = part.known_to is None and not self.goes_on
        return _Part(made, part.decimals + self.decimals, None if is_whole else known_to)

    def _pieces(self, rungs: Sequence[Rung], value_decimals: int) -> Iterator[tuple[Rung, Exact, Rung]]:
        """Each rung in the pieces that pass one level of the leg, with that level."""
        steps = iter([(step, self._capacity(step, value_decimals)) for step in self.rungs])
        step, left = next(steps, (None, 0))
        for rung in rungs:
            size = rung.size
            while size and step is not None:
                piece = size if rung.price * size <= left else quotient(left, rung.price)
                yield rung, piece, step
                size -= piece
                left -= rung.price * piece
                if not left:
                    step, left = next(steps, (None, 0))

    def _capacity(self, step: Rung, value_decimals: int) -> Exact:
        """How much of the books' money the level takes or gives, by so many decimals."""
        amount, decimals = step.size, self.size_decimals
        if self.is_inverse:
            amount, decimals = step.size * step.price, self.size_decimals + self.decimals
        return quotient(amount * 10**value_decimals, 10**decimals)


def _merged(trade: Trade, parts: Sequence[_Part], size_decimals: int, left_out: tuple[Instrument, ...]) -> Ladder:
    decimals = max([part.decimals for part in parts], default=0)
    rungs: list[Rung] = []
    ends: list[Exact] = []
    for part in parts:
        scale = 10 ** (decimals - part.decimals)
        rungs += (
            part.rungs if scale == 1 else [Rung(each.price * scale, each.size, each.instrument, each.leg) for each in part.rungs]
        )
        if part.known_to is not None:
            ends.append(part.known_to * scale)
    rungs = best_first(trade, rungs, attrgetter("price"))
    return Ladder(trade, tuple(rungs), decimals, size_decimals, nearest(trade, ends), left_out)
