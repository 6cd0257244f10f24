"""What an amount of a token is worth in the wrapped native token and in US dollars, at mid prices of the known pools."""

from __future__ import annotations

from msgspec import Struct

from mempool.amm import POOL_KINDS
from mempool.decode import DecodeTables
from mempool.market import MarketView
from mempool.model.pool import PoolState


class Value(Struct, frozen=True):
    """Worth of an amount, to print and to rank: `native_wei` in wei of the native token, `usd` in whole dollars.

    None where no known pool prices it.
    """

    native_wei: float | None
    usd: float | None


def value_in(view: MarketView, tables: DecodeTables, token: bytes, amount: int) -> Value:
    """Price an amount (smallest units, of either sign) of `token`.

    Direct pools only, the deepest known one: with the wrapped native token first, else with a dollar of the tables. Native
    and dollars are turned into each other by the tables' `usd_pool`; a listed dollar is worth one. Fees and the amount's
    own price impact are left out.
    """
    native = _through_pool(view, token, tables.wrapped_native, amount)
    dollars = _in_dollars(view, tables, token, amount)
    usd_rate = _usd_for_one_wei(view, tables)
    if native is None and dollars is not None and usd_rate:
        native = dollars / usd_rate
    if dollars is None and native is not None and usd_rate:
        dollars = native * usd_rate
    return Value(native, dollars)


def _in_dollars(view: MarketView, tables: DecodeTables, token: bytes, amount: int) -> float | None:
    """The worth by a listed dollar: the token itself, or where there is no pool with the native token one with a dollar."""
    listed = tables.tokens.get(token)
    if listed is not None and listed.usd_stable:
        return float(amount / 10**listed.decimals)
    if token == tables.wrapped_native or view.pools_between(token, tables.wrapped_native):
        return None
    found = [(pool, stable) for stable in _dollars(tables) if (pool := _deepest(view, token, stable))]
    if not found:
        return None
    _, stable = max(found, key=lambda each: _depth(*each) * 10 ** (36 - tables.tokens[each[1]].decimals))
    bought = _through_pool(view, token, stable, amount)
    return None if bought is None else bought / 10 ** tables.tokens[stable].decimals


def _dollars(tables: DecodeTables) -> list[bytes]:
    return [address for address, listed in tables.tokens.items() if listed.usd_stable]


def _usd_for_one_wei(view: MarketView, tables: DecodeTables) -> float | None:
    """Dollars for one wei, by the pool that the tables name for it."""
    pool = view.pool(tables.usd_pool.address)
    if pool is None:
        return None
    dollar = pool.token1 if pool.token0 == tables.wrapped_native else pool.token0
    rate = _mid_price(pool, tables.wrapped_native)
    return rate and rate / 10 ** tables.tokens[dollar].decimals


def _through_pool(view: MarketView, token: bytes, other_token: bytes, amount: int) -> float | None:
    """`amount` at the mid price of the deepest pool of the two; itself where they are one token."""
    if token == other_token:
        return float(amount)
    pool = _deepest(view, token, other_token)
    rate = _mid_price(pool, token) if pool else None
    return None if rate is None else amount * rate


def _deepest(view: MarketView, token: bytes, other_token: bytes) -> PoolState | None:
    pools = [pool for address in view.pools_between(token, other_token) if (pool := view.pool(address))]
    return max(pools, key=lambda pool: _depth(pool, other_token), default=None)


def _depth(pool: PoolState, token: bytes) -> int:
    return POOL_KINDS[pool.kind].virtual_reserve(pool, token)


def _mid_price(pool: PoolState, token_in: bytes) -> float | None:
    """None for an empty pool, which has no price."""
    numerator, denominator = pool.mid_price(token_in)
    return numerator / denominator if numerator and denominator else None
