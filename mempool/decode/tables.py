"""The tables that decoding looks things up in: routers by address, functions by selector, tokens and factories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from mempool.abi import Padding, Read, ReadPlain, ToUsual
from mempool.decode.found_pools import FoundPools
from mempool.decode.pools import PoolFactory
from mempool.errors import ConfigError
from mempool.model.chain import Chain, Evidence, Token
from mempool.model.pool import PoolIdentity
from mempool.model.swap import DecodedCall, Hop

if TYPE_CHECKING:
    from mempool.decode.call import Call

Handler = Callable[["Call", tuple[Any, ...]], None]
"""Takes a call under way and the arguments of one of its functions, and adds what they ask for to the call."""

QuickCall = Callable[["DecodeTables", bytes, int, bytes], "DecodedCall | None"]
"""`(tables, calldata, value_wei, sender) -> decoded call`, a short cut for what nearly every call of a function is.

None leaves it to the full reading.
"""


class Entry(Struct, frozen=True):
    """One function or command. Without a `handler` it is known by name and is no swap, unless it is opaque."""

    name: str
    read: Read | None
    handler: Handler | None
    plain: Mapping[int, ReadPlain] = {}
    """Quick readers by the length of the calldata."""
    quick: QuickCall | None = None
    is_opaque: bool = False
    in_place: ToUsual | None = None
    """Of a command that the router reads where its input stands, beyond the input's end where it comes to that."""


class Action(Struct, frozen=True):
    """One action of a command that carries actions. `min_bytes` is what the router asks of its parameters' length."""

    name: str
    read: Read
    min_bytes: int
    in_place: ToUsual | None
    """Of a struct, of which the router takes what no encoder makes."""


class RouterKind(Struct, frozen=True):
    """A row of `ROUTERS` or `WRAPPERS`: what the contract does about dirty words, and who takes which function.

    `pools` are the factories that it needs, by what it calls them. `functions` is keyed by name or, where a name has several
    functions that differ, by signature; functions of the ABI that it lacks are no swaps. `commands` likewise for those of a
    command machine, whose byte is cut to `command_mask`; those in neither `commands` nor `harmless_commands` are opaque.
    """

    padding: Padding
    pools: frozenset[str]
    functions: Mapping[str, Handler]
    quick: Mapping[str, Callable[[RouterTable, bytes], QuickCall]] = {}
    """What makes the short cut of a function, given the router and the selector of the function; keyed likewise."""
    commands: Mapping[str, Handler] = {}
    harmless_commands: frozenset[str] = frozenset()
    command_mask: int = 0
    actions: frozenset[str] = frozenset()
    """The actions that one of the commands carries, by name."""
    command_padding: Padding = Padding.CHECKED
    """What it does about dirty words in a command's input."""


class RouterTable(Struct, frozen=True):
    """One router of the chain. `factories` are its factories by what the router calls them.

    `address` is empty for what stands at many addresses.
    """

    name: str
    label: str
    kind: str
    address: bytes
    entries: dict[bytes, Entry]
    factories: dict[str, PoolFactory]
    wrapped_native: bytes
    tested: Evidence
    commands: dict[int, Entry] = {}
    command_mask: int = 0
    actions: dict[int, Action] = {}
    """Of its command that carries actions."""
    keyed_hops: dict[tuple[tuple[bytes, bytes], tuple[int, int, bytes]], Hop] = {}
    """Hops through pools of a vault by `((token in, token out), (fee, tick spacing, hooks))`, each made once."""


class PoolCoins(Struct, frozen=True):
    """A listed pool's coins in its own order, and those behind them."""

    name: str
    protocol: str
    coins: tuple[bytes, ...]
    underlying: tuple[bytes, ...]
    fee_pips: int | None


class DecodeTables(Struct, frozen=True):
    """Everything that decoding and the start of a run need to know about a chain. Addresses are 20 bytes."""

    chain: Chain
    routers: dict[bytes, RouterTable]
    tokens: dict[bytes, Token]
    factories: dict[str, PoolFactory]
    wrapped_native: bytes
    preloaded: tuple[PoolIdentity, ...]
    usd_pool: PoolIdentity
    anywhere: dict[bytes, RouterTable] = {}
    """By selector: contracts that are known by it, wherever they stand."""
    anywhere_inside: dict[bytes, RouterTable] = {}
    """The same, with those that are looked for inside other calls alone."""
    listed_pools: dict[bytes, PoolCoins] = {}
    """By address or id."""
    found_pools: FoundPools = FoundPools({}, ())
    """Pools that calls name by their address alone, and whose factory and tokens were found out."""

    wrappers: frozenset[str] = frozenset()
    """The names of the contracts that only carry calls of others."""

    def contract(self, to: bytes, selector: bytes) -> RouterTable | None:
        """Who answers a call that another contract makes; None where nobody is known to."""
        return self.routers.get(to) or self.anywhere_inside.get(selector)

    def pool_identity(self, factory_name: str, token: bytes, other_token: bytes, fee_pips: int) -> PoolIdentity:
        """The pool of a listed factory. Raises `ConfigError` where the factory, or the fee at it, is not listed."""
        if factory_name not in self.factories:
            raise ConfigError(f"no factory {factory_name!r}; there are {', '.join(self.factories)}")
        identity = self.factories[factory_name].pool(token, other_token, fee_pips)
        if identity is None:
            raise ConfigError(f"factory {factory_name!r} has no fee of {fee_pips} pips")
        return identity
