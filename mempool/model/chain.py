"""One chain's tables as its TOML file states them. Addresses and hashes are `0x` and hex digits in any case."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field


class Factory(Struct, frozen=True, forbid_unknown_fields=True):
    """A pool factory. `tick_spacings` maps a V3 fee in pips (as text: TOML keys are text) to its tick spacing.

    `address` is the contract that creates the pools: where a factory has a deployer of its own for that, the deployer.
    """

    name: str
    label: str
    kind: str
    address: str
    init_code_hash: str
    fee_pips: int = 0
    tick_spacings: dict[str, int] = field(default_factory=dict)
    is_simulated: bool = True
    """Whether its pools keep their state, and log their swaps, as the family's maths expects."""


class Evidence(StrEnum):
    """What a router's decoding is tested on; the strongest there is."""

    REAL = "real call"
    DEVNET = "devnet call"
    CONSTRUCTED = "constructed"


class Router(Struct, frozen=True, forbid_unknown_fields=True):
    """A router or a wrapper: `kind` is its row in `ROUTERS` or `WRAPPERS`, `abi` its table in `abis/`, `factories` its factories'
    names by what the router calls them, which is mostly the pool kind."""

    name: str
    label: str
    kind: str
    address: str
    abi: str
    tested: Evidence
    factories: dict[str, str] = field(default_factory=dict)


class AnyContract(Struct, frozen=True, forbid_unknown_fields=True):
    """A contract that stands at many addresses and is known by the selectors of its functions alone: accounts, pools, tokens.

    With `only_inside` it is looked for inside other calls, never where a transaction goes directly.
    """

    name: str
    label: str
    kind: str
    abi: str
    tested: Evidence
    factories: dict[str, str] = field(default_factory=dict)
    only_inside: bool = False


class ListedPool(Struct, frozen=True, forbid_unknown_fields=True):
    """A pool that no factory's formula finds. `coins` are symbols of listed tokens or addresses, in the pool's own order.

    `pool` is its address or its 32-byte id; `underlying` are the coins behind a meta pool or lending pool, in their order.
    """

    name: str
    protocol: str
    pool: str
    coins: tuple[str, ...]
    underlying: tuple[str, ...] = ()
    fee_pips: int | None = None


class Token(Struct, frozen=True, forbid_unknown_fields=True):
    """A listed token. `usd_stable` marks one that counts as a dollar.

    `asset` is what exchanges call the very same coin, one for one: ETH for WETH, but not BTC for WBTC, and nothing for a
    bridged or pegged one; empty where they have none.
    """

    symbol: str
    address: str
    decimals: int
    usd_stable: bool = False
    asset: str = ""


class PreloadedPool(Struct, frozen=True, forbid_unknown_fields=True):
    """A pool that is loaded at the start: a factory's name, two token symbols, and the fee where the factory has several."""

    factory: str
    tokens: tuple[str, str]
    fee_pips: int = 0


class Chain(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is particular to one chain."""

    name: str
    chain_id: int
    native_symbol: str
    wrapped_native: str
    slot_seconds: int
    usd_pool: PreloadedPool
    """The pool that prices the wrapped native token in dollars."""
    factories: tuple[Factory, ...]
    routers: tuple[Router, ...]
    tokens: tuple[Token, ...]
    pools: tuple[PreloadedPool, ...] = ()
    anywhere: tuple[AnyContract, ...] = ()
    listed_pools: tuple[ListedPool, ...] = ()
