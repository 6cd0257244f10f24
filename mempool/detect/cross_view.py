"""Pools and order books in one read-only view, and which of them trade the same two coins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from mempool.books.view import BooksView
from mempool.decode import DecodeTables
from mempool.market import MarketView
from mempool.model.book import Instrument

MONEYS = ("USDT", "USDC")
"""Dollars that exchanges quote other dollars in, the one that is the others' money first."""


class Coin(Struct, frozen=True, gc=False):
    """A token that is traded at exchanges too, as the very same coin. `asset` is its name there."""

    token: bytes
    asset: str
    decimals: int
    is_dollar: bool


class Pair(Struct, frozen=True):
    """The two coins of a pool as base and money, and the followed books that sell the one for the other."""

    base: Coin
    money: Coin
    books: tuple[Instrument, ...]
    """Of the base asset, in whatever quote asset; in the order in which they are followed."""
    legs: Mapping[str, tuple[Instrument, ...]]
    """By the other quote assets of `books`: what turns them into the money's asset, or it into them."""


class Assets(Struct, frozen=True, eq=False):
    """What a run knows beforehand: the coins of its chain and the instruments that it follows."""

    coins: Mapping[bytes, Coin]
    """By token. One that no exchange trades as the very same coin is not in it."""
    native: Coin | None
    """The wrapped native token."""
    instruments: tuple[Instrument, ...]
    memo: dict[tuple[bytes, bytes], Pair | None] = {}
    """The pairs that have been asked for."""

    def pair(self, token: bytes, other_token: bytes) -> Pair | None:
        """Of a pool of these tokens; None where it is not comparable to the books.

        Its money is the dollar of the two; of two dollars the first of `MONEYS`, else the later one by name; without a
        dollar the native token. A pool that has none of them is not compared.
        """
        key = (token, other_token)
        if key not in self.memo:
            self.memo[key] = self._made(self.coins.get(token), self.coins.get(other_token))
        return self.memo[key]

    def between(self, base: Coin, money: Coin) -> Pair:
        """The books of `base` that come to `money`, directly or through a leg."""
        books = [each for each in self.instruments if each.base == base.asset and each.quote != base.asset]
        legs = {
            asset: tuple([each for each in self.instruments if {each.base, each.quote} == {asset, money.asset}])
            for asset in dict.fromkeys([book.quote for book in books])
            if asset != money.asset
        }
        usable = [book for book in books if book.quote == money.asset or legs[book.quote]]
        return Pair(base, money, tuple(usable), {asset: rates for asset, rates in legs.items() if rates})

    def _made(self, coin: Coin | None, other: Coin | None) -> Pair | None:
        if coin is None or other is None:
            return None
        money = max((coin, other), key=self._rank_as_money)
        if not money.is_dollar and money != self.native:
            return None
        pair = self.between(other if money == coin else coin, money)
        return pair if pair.books else None

    def _rank_as_money(self, coin: Coin) -> tuple[bool, int, bool, str]:
        place = MONEYS.index(coin.asset) if coin.asset in MONEYS else len(MONEYS)
        return coin.is_dollar, -place, coin == self.native, coin.asset


class CrossView(Struct, frozen=True):
    """One moment: valid as long as its `books` are."""

    pools: MarketView
    books: BooksView
    assets: Assets


def assets_of(tables: DecodeTables, instruments: Iterable[Instrument]) -> Assets:
    """Made once for a run, of the chain's tables and all books that are followed, legs included."""
    coins = {
        address: Coin(address, token.asset, token.decimals, token.usd_stable)
        for address, token in tables.tokens.items()
        if token.asset
    }
    return Assets(coins, coins.get(tables.wrapped_native), tuple(dict.fromkeys(instruments)), {})
