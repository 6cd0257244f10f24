"""One chain's tables as its TOML file states them. Addresses and hashes are `0x` and hex digits in any case."""

from __future__ import annotations

from msgspec import Struct, field


class Factory(Struct, frozen=True, forbid_unknown_fields=True):
    """A pool factory. `tick_spacings` maps a V3 fee in pips (as text: TOML keys are text) to its tick spacing."""

    name: str
    label: str
    kind: str
    address: str
    init_code_hash: str
    fee_pips: int = 0
    tick_spacings: dict[str, int] = field(default_factory=dict)


class Router(Struct, frozen=True, forbid_unknown_fields=True):
    """A router: `kind` is its row in `ROUTERS`, `abi` its table in `abis/`, `factories` its factories' names by pool kind."""

    name: str
    label: str
    kind: str
    address: str
    abi: str
    factories: dict[str, str]


class Token(Struct, frozen=True, forbid_unknown_fields=True):
    """A listed token. `usd_stable` marks one that counts as a dollar."""

    symbol: str
    address: str
    decimals: int
    usd_stable: bool = False


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
