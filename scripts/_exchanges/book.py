"""A generated order book: it follows a mid price, and says at each step what has changed in it."""

from __future__ import annotations

from bisect import bisect_left, insort
from decimal import Decimal
from random import Random

from msgspec import Struct

from scripts._exchanges.listings import Listing
from scripts._exchanges.market import MidPrice, price_in, wave

Changes = list[tuple[int, int]]
"""Price and absolute size of each level that has changed; a size of zero removes it."""
FIRST_ID = 1_000_000
JOLT_POWER = 201
"""Of a wave: it is more than a half for a twentieth of the time, about each crest and trough, and near zero between."""
NO_FLOOR = -(10**30)


class Best(Struct, frozen=True, gc=False):
    """The best bid and offer of a book at its version `version`; scaled as its listing says."""

    version: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    price_decimals: int
    size_decimals: int

    @property
    def is_crossed(self) -> bool:
        return self.bid >= self.ask

    def decimals(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Bid, its size, ask, its size."""
        price, size = Decimal(1).scaleb(-self.price_decimals), Decimal(1).scaleb(-self.size_decimals)
        return self.bid * price, self.bid_size * size, self.ask * price, self.ask_size * size


class Ladder:
    """One side. Levels by `key`, the price times `sign`, so that the best key is the largest: +1 for bids, -1 for asks."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.sizes: dict[int, int] = {}
        self.changed: dict[int, int] = {}

    def set(self, key: int, size: int) -> None:
        if size:
            if key not in self.sizes:
                insort(self.keys, key)
            self.sizes[key] = size
        elif self.sizes.pop(key, 0):
            del self.keys[bisect_left(self.keys, key)]
        else:
            return
        self.changed[key] = size

    def top(self, depth: int) -> Changes:
        """The best levels, best first; all of them for a depth of zero."""
        return [(self.sign * key, self.sizes[key]) for key in reversed(self.keys[-depth:])]

    def floor(self, depth: int) -> int:
        """The key of the last level of so many."""
        return self.keys[-depth] if depth and len(self.keys) >= depth else NO_FLOOR


class View:
    """The book as a client knows it that has subscribed `depth` levels; zero means all.

    Where the venue removes what falls out behind the depth, `removes` is true; else the client has to drop it itself.
    """

    def __init__(self, book: SimulatedBook, depth: int, *, removes: bool) -> None:
        self.book, self.depth, self.removes = book, depth, removes
        self.number = 0
        """Of messages about it so far."""
        self.bids: Changes = []
        self.asks: Changes = []
        self.previous_id = self.last_id = book.last_id
        self._id_base = 0
        self._floors = [ladder.floor(depth) for ladder in book.sides]

    def top(self) -> tuple[Changes, Changes]:
        bids, asks = (ladder.top(self.depth) for ladder in self.book.sides)
        return bids, asks

    def follow(self) -> None:
        """Take the book's latest step: `bids` and `asks` are then what the client is to be told."""
        self.bids, self.asks = (self._changes(at, ladder) for at, ladder in enumerate(self.book.sides))
        if self.bids or self.asks:
            self.number += 1
            self.previous_id, self.last_id = self.last_id, self.book.last_id - self._id_base

    def restart(self) -> None:
        """Count messages and ids from one again."""
        self.number = 1
        self._id_base = self.book.last_id - 1
        self.previous_id, self.last_id = self.last_id, 1

    def _changes(self, at: int, ladder: Ladder) -> Changes:
        old, new = self._floors[at], ladder.floor(self.depth)
        self._floors[at] = new
        told = {key: size for key, size in ladder.changed.items() if key >= (new if size else old)}
        if new < old:
            for key in ladder.keys[bisect_left(ladder.keys, new) : bisect_left(ladder.keys, old)]:
                told.setdefault(key, ladder.sizes[key])
        elif new > old and self.removes:
            for key in ladder.keys[bisect_left(ladder.keys, old) : bisect_left(ladder.keys, new)]:
                told[key] = 0
        return [(ladder.sign * key, size) for key, size in told.items()]


class SimulatedBook:
    """`step` moves it; till `crossed_until_ns` each step leaves a bid above the best ask; till `halted_until_ns` none is made."""

    def __init__(self, listing: Listing, mid: MidPrice, seed: int) -> None:
        self.listing = listing
        self.halted_until_ns = self.crossed_until_ns = 0
        self.last_id = FIRST_ID
        self.version = 0
        self.sides = (Ladder(1), Ladder(-1))
        self._mid = mid
        self._random = Random(f"{seed}/{listing.venue}/{listing.symbol}")
        self._phase = self._random.random()
        self._views: dict[int, View] = {}

    def start(self, now_ns: int) -> None:
        self._follow(now_ns)
        self._say()

    def view(self, depth: int, *, removes: bool) -> View:
        """The same one for all clients of a depth."""
        if depth not in self._views:
            self._views[depth] = View(self, depth, removes=removes)
        return self._views[depth]

    def views(self) -> list[View]:
        return list(self._views.values())

    def step(self, now_ns: int) -> bool:
        """Whether anything has changed."""
        for ladder in self.sides:
            ladder.changed.clear()
        if now_ns < self.halted_until_ns:
            return False
        self._follow(now_ns)
        if now_ns < self.crossed_until_ns:
            self.sides[0].set(3 * self.listing.tick - self.sides[1].keys[-1], self._size())
        return self._say()

    def best(self) -> Best:
        bids, asks = self.sides
        bid, ask = bids.keys[-1], asks.keys[-1]
        decimals = self.listing.price_decimals, self.listing.size_decimals
        return Best(self.version, bid, bids.sizes[bid], -ask, asks.sizes[ask], *decimals)

    def _say(self) -> bool:
        count = sum(len(ladder.changed) for ladder in self.sides)
        if count:
            self.version += 1
            self.last_id += count
            for view in self._views.values():
                view.follow()
        return bool(count)

    def _follow(self, now_ns: int) -> None:
        listing, random = self.listing, self._random.random
        price = price_in(self._mid, listing.base, listing.quote, now_ns)
        price *= (1 + self._stray_bps(now_ns) / 10_000) * 10**listing.price_decimals
        bid = max(int(price) // listing.tick, 2) * listing.tick
        ask = bid + (listing.spread_ticks + int(3 * random())) * listing.tick
        for ladder, best in zip(self.sides, (bid, -ask), strict=True):
            while ladder.keys and ladder.keys[-1] > best:
                ladder.set(ladder.keys[-1], 0)
            if not ladder.keys or ladder.keys[-1] < best:
                ladder.set(best, self._size())
            self._fill(ladder)
            for _ in range(int(3 * random())):
                key = ladder.keys[-1] - int(listing.levels * random() ** 3) * listing.tick
                if ladder.sign * key > 0:
                    ladder.set(key, 0 if key in ladder.sizes and random() < 0.5 else self._size())

    def _stray_bps(self, now_ns: int) -> float:
        """How far the venue is from the market."""
        listing, phase = self.listing, self._phase
        sway = wave(now_ns, 20 + 20 * phase, phase)
        jolt = wave(now_ns, 48 + 28 * phase, phase) ** JOLT_POWER if listing.jolt_bps else 0.0
        return listing.offset_bps + listing.sway_bps * sway + listing.jolt_bps * jolt

    def _fill(self, ladder: Ladder) -> None:
        """Keep the number of levels, and every price above zero."""
        listing = self.listing
        while len(ladder.keys) > 2 * listing.levels:
            ladder.set(ladder.keys[0], 0)
        while len(ladder.keys) < listing.levels:
            worst = ladder.keys[0] if ladder.keys else 0
            key = worst - int(1 + 3 * self._random.random()) * listing.tick
            if ladder.sign * key <= 0:
                return
            ladder.set(key, self._size())

    def _size(self) -> int:
        """Small ones are more frequent."""
        listing = self.listing
        lots = int(listing.largest_size * 10**listing.size_decimals / listing.lot * self._random.random() ** 4)
        return max(lots, 1) * listing.lot
