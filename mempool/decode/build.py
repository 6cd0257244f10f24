"""Compiles a chain's file and the ABI files to the tables of decoding. All mistakes in them show here, at the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from mempool.abi import (
    Budget,
    FunctionReader,
    Offsets,
    ToUsual,
    inputs_in_place,
    inputs_reader,
    least_bytes,
    only_struct_in_place,
    plain_inputs_readers,
    read_functions,
)
from mempool.decode.create2 import salt_of
from mempool.decode.found_pools import FoundPools
from mempool.decode.pools import PoolFactory
from mempool.decode.routers import ROUTERS
from mempool.decode.tables import Action, DecodeTables, Entry, PoolCoins, RouterKind, RouterTable
from mempool.decode.wrappers import WRAPPERS
from mempool.errors import ConfigError
from mempool.model.chain import AnyContract, Chain, Factory, ListedPool, PreloadedPool, Router
from mempool.model.pool import PoolIdentity

Abis = Mapping[str, Sequence[Mapping[str, Any]]]
"""ABI JSON by its path below `abis/` without the ending: `uniswap/SwapRouter02`. Commands of a command machine stand beside it,
as `uniswap/UniversalRouterV1.commands`: entries of `id` (hex), `name`, and `inputs` as in ABI JSON where they are read, or
"unread" where the handler takes the bytes; those with `in_place` are read where they stand, which names what is taken of offsets,
as `Offsets` do. The actions that such a command carries stand in the same form beside it, as
`uniswap/UniversalRouterV2.actions`."""
_UNREAD = "unread"
_OFFSETS: Mapping[str, Offsets] = {offsets.value: offsets for offsets in Offsets}
KINDS: Mapping[str, RouterKind] = {**ROUTERS, **WRAPPERS}
Key = TypeVar("Key")
Value = TypeVar("Value")


def build_tables(chain: Chain, abis: Abis) -> DecodeTables:
    """The tables of one chain. Raises `ConfigError`, naming the entry, for anything that does not fit together."""
    wrapped_native = address_of(chain.wrapped_native, "wrapped_native")
    factories = _unique((factory.name, _factory(factory)) for factory in chain.factories)
    tokens = _unique((address_of(token.address, token.symbol), token) for token in chain.tokens)
    by_symbol = _unique((token.symbol, address) for address, token in tokens.items())
    parts = _Parts(factories, abis, wrapped_native)
    routers = [_router(router, address_of(router.address, router.name), parts) for router in chain.routers]
    anywhere = [(_router(contract, b"", parts), contract.only_inside) for contract in chain.anywhere]
    return DecodeTables(
        chain=chain,
        routers=_unique((router.address, router) for router in routers),
        tokens=tokens,
        factories=factories,
        wrapped_native=wrapped_native,
        preloaded=tuple(_preloaded(pool, factories, by_symbol) for pool in chain.pools),
        usd_pool=_preloaded(chain.usd_pool, factories, by_symbol),
        anywhere=_by_selector(table for table, only_inside in anywhere if not only_inside),
        anywhere_inside=_by_selector(table for table, _ in anywhere),
        listed_pools=_unique(_pool_coins(pool, by_symbol) for pool in chain.listed_pools),
        found_pools=FoundPools(factories, tuple(tokens)),
        wrappers=frozenset(table.name for table in (*routers, *(each for each, _ in anywhere)) if table.kind in WRAPPERS),
    )


def address_of(text: str, name: str) -> bytes:
    """The 20 bytes of an address. Raises `ConfigError` naming the entry."""
    return _hex_bytes(text, 20, name)


def _hex_bytes(text: str, size: int, name: str) -> bytes:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if len(data) != size or not text.startswith("0x"):
        raise ConfigError(f"{name}: {text!r} is not 0x and {2 * size} hex digits")
    return data


def _factory(factory: Factory) -> PoolFactory:
    return PoolFactory(
        name=factory.name,
        kind=factory.kind,
        address=address_of(factory.address, factory.name),
        init_code_hash=_hex_bytes(factory.init_code_hash, 32, factory.name),
        salt=salt_of(factory.kind),
        fee_pips=factory.fee_pips,
        tick_spacings={int(fee): spacing for fee, spacing in factory.tick_spacings.items()},
        is_simulated=factory.is_simulated,
    )


class _Parts(NamedTuple):
    """What routers are made of."""

    factories: Mapping[str, PoolFactory]
    abis: Abis
    wrapped_native: bytes


def _router(router: Router | AnyContract, address: bytes, parts: _Parts) -> RouterTable:
    kind = _listed(KINDS, router.kind, f"kind of router {router.name!r}")
    if missing := kind.pools - router.factories.keys():
        raise ConfigError(f"router {router.name!r} has no factory for {', '.join(sorted(missing))}")
    what = f"factory of router {router.name!r}"
    table = RouterTable(
        name=router.name,
        label=router.label,
        kind=router.kind,
        address=address,
        entries={},
        factories={pool: _listed(parts.factories, name, what) for pool, name in router.factories.items()},
        wrapped_native=parts.wrapped_native,
        tested=router.tested,
        commands=_commands(kind, parts.abis[f"{router.abi}.commands"]) if kind.commands else {},
        command_mask=kind.command_mask,
        actions=_unique((int(row["id"], 16), _action(kind, row)) for row in parts.abis.get(f"{router.abi}.actions", ())),
    )
    abi = _listed(parts.abis, router.abi, f"abi of router {router.name!r}")
    for selector, function in read_functions(abi, kind.padding).items():
        table.entries[selector] = entry = _entry(kind, function)
        bind = kind.quick.get(function.signature, kind.quick.get(function.name))
        if bind is not None:
            table.entries[selector] = replace(entry, quick=bind(table, selector))
    return table


def _by_selector(tables: Iterable[RouterTable]) -> dict[bytes, RouterTable]:
    """Tables by each of their functions; two that share one are a mistake."""
    return _unique((selector, table) for table in tables for selector in table.entries)


def _pool_coins(pool: ListedPool, by_symbol: Mapping[str, bytes]) -> tuple[bytes, PoolCoins]:
    def coins(names: Sequence[str]) -> tuple[bytes, ...]:
        return tuple(by_symbol[name] if name in by_symbol else address_of(name, f"coin of {pool.name}") for name in names)

    size = 32 if len(pool.pool) == 66 else 20
    coins_of = PoolCoins(pool.name, pool.protocol, coins(pool.coins), coins(pool.underlying), pool.fee_pips)
    return _hex_bytes(pool.pool, size, pool.name), coins_of


def _entry(kind: RouterKind, function: FunctionReader) -> Entry:
    name = function.name
    handler = kind.functions.get(function.signature, kind.functions.get(name))
    return Entry(
        name=name,
        read=None if handler is None else function.reader(),
        handler=handler,
        plain={} if handler is None else function.plain_readers(),
    )


def _commands(kind: RouterKind, rows: Sequence[Mapping[str, Any]]) -> dict[int, Entry]:
    return _unique((int(row["id"], 16), _command(kind, row)) for row in rows)


def _command(kind: RouterKind, row: Mapping[str, Any]) -> Entry:
    name = row["name"]
    handler = kind.commands.get(name)
    is_opaque = handler is None and name not in kind.harmless_commands
    if "inputs" not in row:
        return Entry(name, None, handler, is_opaque=is_opaque)
    inputs, padding = row["inputs"], kind.command_padding
    if inputs == _UNREAD:
        return Entry(name, _rest, handler, is_opaque=is_opaque)
    return Entry(
        name,
        inputs_reader(inputs, padding),
        handler,
        plain_inputs_readers(inputs, padding),
        is_opaque=is_opaque,
        in_place=_in_place(row),
    )


def _in_place(row: Mapping[str, Any]) -> ToUsual | None:
    if "in_place" not in row:
        return None
    return inputs_in_place(row["inputs"], _listed(_OFFSETS, row["in_place"], f"offsets of command {row['name']!r}"))


def _rest(data: bytes, start: int, _budget: Budget) -> tuple[bytes]:
    return (data[start:],)


def _action(kind: RouterKind, row: Mapping[str, Any]) -> Action:
    name, inputs = row["name"], row.get("inputs", ())
    if name not in kind.actions:
        raise ConfigError(f"action {name!r} is not one of {', '.join(sorted(kind.actions))}")
    return Action(name, inputs_reader(inputs, kind.command_padding), least_bytes(inputs), only_struct_in_place(inputs))


def _preloaded(pool: PreloadedPool, factories: Mapping[str, PoolFactory], by_symbol: Mapping[str, bytes]) -> PoolIdentity:
    factory = _listed(factories, pool.factory, "factory of a preloaded pool")
    token, other_token = (_listed(by_symbol, symbol, "token of a preloaded pool") for symbol in pool.tokens)
    identity = factory.pool(token, other_token, pool.fee_pips)
    if identity is None:
        raise ConfigError(f"preloaded pool {'/'.join(pool.tokens)}: {pool.factory!r} has no fee of {pool.fee_pips} pips")
    return identity


def _listed(table: Mapping[str, Value], name: str, what: str) -> Value:
    if name not in table:
        raise ConfigError(f"{what}: {name!r} is not one of {', '.join(table)}")
    return table[name]


def _unique(rows: Iterable[tuple[Key, Value]]) -> dict[Key, Value]:
    table: dict[Key, Value] = {}
    for key, value in rows:
        if key in table:
            raise ConfigError(f"{key!r} stands twice in the chain's file")
        table[key] = value
    return table
