"""What is known of a V3 pool's ticks: bitmap words, liquidity per tick, and how mints and burns change them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mempool.amm.tick_math import MAX_TICK, MIN_TICK
from mempool.errors import TicksUnknown


class TickLiquidity(Struct, frozen=True, gc=False):
    """`gross` is what all positions reference at the tick (0 would un-initialise it); `net` is added by crossing it upwards."""

    gross: int
    net: int


class TickTable(Struct, frozen=True):
    """The known part of one pool's ticks; the mappings are never changed in place, so that many states share them.

    `words` maps the index of a bitmap word to its 256 bits; an absent word is unknown, an empty one stands as 0.
    `ticks` holds initialised ticks of known words; a tick whose bit is set but which is absent has unknown liquidity.
    """

    pool: bytes
    spacing: int
    words: Mapping[int, int]
    ticks: Mapping[int, TickLiquidity]

    def next_below(self, tick: int) -> tuple[int, bool]:
        """The next initialised tick at or below `tick` within its word, else the word's lowest; and whether it is initialised."""
        index = tick // self.spacing
        bit = index & 255
        below = self._word(index >> 8) & ((2 << bit) - 1)
        found = (index - bit + (below.bit_length() - 1 if below else 0)) * self.spacing
        return max(MIN_TICK, found), below > 0

    def next_above(self, tick: int) -> tuple[int, bool]:
        """The next initialised tick above `tick` within its successor's word, else that word's highest; and whether it is."""
        index = tick // self.spacing + 1
        bit = index & 255
        above = self._word(index >> 8) >> bit
        found = (index + ((above & -above).bit_length() - 1 if above else 255 - bit)) * self.spacing
        return min(MAX_TICK, found), above > 0

    def net_liquidity(self, tick: int) -> int:
        """What crossing an initialised tick upwards adds. Raises `TicksUnknown`."""
        found = self.ticks.get(tick)
        if found is None:
            raise TicksUnknown(self.pool, f"the liquidity at tick {tick}")
        return found.net

    def with_position(self, lower: int, upper: int, liquidity_delta: int) -> TickTable:
        """The table after a mint (positive) or burn (negative) of a position's liquidity."""
        words, ticks = dict(self.words), dict(self.ticks)
        for tick, net_delta in ((lower, liquidity_delta), (upper, -liquidity_delta)):
            self._move_tick(words, ticks, tick, TickLiquidity(liquidity_delta, net_delta))
        return TickTable(self.pool, self.spacing, words, ticks)

    def _word(self, index: int) -> int:
        word = self.words.get(index)
        if word is None:
            raise TicksUnknown(self.pool, f"tick bitmap word {index}")
        return word

    def _move_tick(self, words: dict[int, int], ticks: dict[int, TickLiquidity], tick: int, delta: TickLiquidity) -> None:
        position, bit = divmod(tick // self.spacing, 256)
        word = words.get(position)
        if word is None:
            return
        before = ticks.get(tick)
        if before is None and word >> bit & 1:
            if delta.gross < 0:
                # The burn may have un-initialised the tick, and only its unknown gross liquidity could tell: the word is unsure.
                forget_word(words, ticks, position, self.spacing)
            return
        gross, net = (before.gross, before.net) if before else (0, 0)
        if gross + delta.gross:
            words[position] = word | 1 << bit
            ticks[tick] = TickLiquidity(gross + delta.gross, net + delta.net)
        else:
            words[position] = word & ~(1 << bit)
            del ticks[tick]


def forget_word(words: dict[int, int], ticks: dict[int, TickLiquidity], position: int, spacing: int) -> None:
    """Take a word and its ticks out of what is known."""
    for tick in initialised_ticks(position, words.pop(position), spacing):
        ticks.pop(tick, None)


def initialised_ticks(position: int, word: int, spacing: int) -> list[int]:
    """The ticks whose bits are set in the bitmap word at index `position`, lowest first."""
    return [(position * 256 + bit) * spacing for bit in range(256) if word >> bit & 1]
