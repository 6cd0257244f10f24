"""Every chain's file holds together: addresses, duplicates, factories, ABI tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from eth_utils.address import is_checksum_address
from msgspec.structs import replace

from mempool.decode import build_tables
from mempool.decode.build import KINDS
from mempool.decode.routers import ROUTERS
from mempool.errors import ConfigError
from mempool.model.chain import Chain
from mempool.resources import chain_names, load_tables, read_abis, read_chain

CHAINS = chain_names()
KNOWN_POOLS = {
    ("ethereum", "uniswap_v2", 0): ("USDC", "WETH", "b4e16d0168e52d35cacd2c6185b44281ec28c9dc"),
    ("ethereum", "uniswap_v3", 500): ("USDC", "WETH", "88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"),
    ("ethereum", "sushi_v2", 0): ("USDC", "WETH", "397ff1542f962076d0bfe58ea045ffa2d347aca0"),
    ("ethereum", "shiba_v2", 0): ("SHIB", "WETH", "cf6daab95c476106eca715d48de4b13287ffdeaa"),
    ("ethereum", "sushi_v3", 500): ("USDC", "WETH", "35644fb61afbc458bf92b15add6abc1996be5014"),
    ("ethereum", "pancake_v2", 0): ("USDC", "WETH", "2e8135be71230c6b1b4045696d41c09db0414226"),
    ("ethereum", "pancake_v3", 500): ("USDC", "WETH", "1ac1a8feaaea1900c4166deeed0c11cc10669d36"),
    ("base", "uniswap_v2", 0): ("WETH", "USDC", "88a43bbdf9d098eec7bceda4e2494615dfd9bb9c"),
    ("base", "uniswap_v3", 500): ("WETH", "USDC", "d0b53d9277642d899df5c87a3966a349a798f224"),
    ("base", "pancake_v2", 0): ("WETH", "USDC", "79474223aedd0339780bacce75abda0be84dcbf9"),
    ("base", "pancake_v3", 500): ("WETH", "USDC", "b775272e537cc670c65dc852908ad47015244eaf"),
    ("base", "sushi_v2", 0): ("WETH", "USDC", "2f8818d1b0f3e3e295440c1c0cddf40aaa21fa87"),
    ("base", "sushi_v3", 500): ("WETH", "USDC", "57713f7716e0b0f65ec116912f834e49805480d2"),
    ("arbitrum", "uniswap_v2", 0): ("WETH", "USDC", "f64dfe17c8b87f012fcf50fbda1d62bfa148366a"),
    ("arbitrum", "uniswap_v3", 500): ("WETH", "USDC", "c6962004f452be9203591991d15f6b388e09e8d0"),
    ("arbitrum", "pancake_v2", 0): ("WETH", "USDC", "a59bd260f9707ea44551c510f714ccd482ec75d8"),
    ("arbitrum", "pancake_v3", 500): ("WETH", "USDC", "d9e2a1a61b6e61b275cec326465d417e52c1b95c"),
    ("arbitrum", "sushi_v2", 0): ("WETH", "USDC.e", "905dfcd5649217c42684f23958568e533c711aa3"),
    ("arbitrum", "sushi_v3", 500): ("WETH", "USDC", "f3eb87c1f6020982173c908e7eb31aa66c1f0296"),
    ("bsc", "uniswap_v2", 0): ("WBNB", "USDT", "8a1ed8e124fdfbd534bf48baf732e26db9cc0cf4"),
    ("bsc", "uniswap_v3", 500): ("WBNB", "USDT", "6fe9e9de56356f7edbfcbb29fab7cd69471a4869"),
    ("bsc", "pancake_v2", 0): ("WBNB", "BUSD", "58f876857a02d6762e0101bb5c46a8c1ed44dc16"),
    ("bsc", "pancake_v3", 500): ("WBNB", "USDT", "36696169c63e42cd08ce11f5deebbcebae652050"),
    ("bsc", "sushi_v2", 0): ("WBNB", "BUSD", "dc558d64c29721d74c4456cfb4363a6e6660a9bb"),
    ("polygon", "uniswap_v2", 0): ("WPOL", "USDC", "1f0c5400a3c7e357cc7c9a3d2f7fe6ddf629d868"),
    ("polygon", "uniswap_v3", 500): ("WPOL", "USDC.e", "a374094527e1673a86de625aa59517c5de346d32"),
    ("polygon", "quickswap_v2", 0): ("WPOL", "USDC.e", "6e7a5fafcec6bb1e78bae2a1f0b612012bf14827"),
    ("polygon", "sushi_v2", 0): ("WETH", "USDC.e", "34965ba0ac2451a34a0471f04cca3f990b8dea27"),
    ("polygon", "sushi_v3", 500): ("WPOL", "USDC.e", "21988c9cfd08db3b5793c2c6782271dc94749251"),
}
SELECTORS = {
    "uniswap/V2Router01": "38ed1739 8803dbee 7ff36ab5 4a25d94a 18cbafe5 fb3bdb41",
    "uniswap/V2Router02": "38ed1739 8803dbee 7ff36ab5 4a25d94a 18cbafe5 fb3bdb41 5c11d795 b6f9de95 791ac947",
    "uniswap/V3SwapRouter": "414bf389 c04b8d59 db3e2198 f28c0498 ac9650d8 49404b7c 12210e8a df2ab5bb",
    "uniswap/SwapRouter02": "04e45aaf b858183f 5023b4df 09b81346 472b43f3 42712a67 5ae401dc 1f0464d1 49616997 e90a182f 1c58db4f",
    "uniswap/UniversalRouterV1": "3593564c 24856bc3",
    "uniswap/UniversalRouterV1_2": "3593564c 24856bc3",
    "uniswap/UniversalRouterV2": "3593564c 24856bc3",
    "uniswap/UniversalRouterV2_1_1": "3593564c 24856bc3",
    "sushi/RouteProcessor4": "2646478b 93b3774c",
    "sushi/RouteProcessor5": "2646478b 93b3774c",
    "sushi/RedSnwapper": "5f3bd1c8",
}


def addresses(chain: Chain) -> Iterator[str]:
    yield chain.wrapped_native
    for rows in (chain.factories, chain.routers, chain.tokens):
        yield from (row.address for row in rows)


def functions_of(kind: str) -> set[str]:
    """The names of the functions that a kind handles."""
    return {function.split("(")[0] for function in KINDS[kind].functions}


@pytest.mark.parametrize("name", CHAINS)
def test_every_chains_file_makes_tables_without_duplicates(name: str) -> None:
    chain, tables = read_chain(name), load_tables(name)
    assert len(tables.routers) == len(chain.routers)
    assert len(tables.tokens) == len(chain.tokens)
    assert len(tables.factories) == len(chain.factories)
    assert len({pool.address for pool in tables.preloaded}) == len(chain.pools)
    for rows in ([router.name for router in chain.routers], [token.symbol for token in chain.tokens]):
        assert max(Counter(rows).values()) == 1
    assert tables.wrapped_native in tables.tokens


@pytest.mark.parametrize("name", CHAINS)
def test_every_address_carries_its_checksum(name: str) -> None:
    assert [address for address in addresses(read_chain(name)) if not is_checksum_address(address)] == []


@pytest.mark.parametrize("name", CHAINS)
def test_every_asset_is_written_as_exchanges_do_and_is_one_tokens_own(name: str) -> None:
    tables = load_tables(name)
    assets = [token.asset for token in tables.tokens.values() if token.asset]
    assert [asset for asset in assets if not re.fullmatch("[A-Z0-9]+", asset)] == []
    assert max(Counter(assets).values()) == 1
    assert tables.tokens[tables.wrapped_native].asset == tables.chain.native_symbol


@pytest.mark.parametrize("name", CHAINS)
def test_every_factory_is_held_by_a_known_pool(name: str) -> None:
    tables = load_tables(name)
    by_symbol = {token.symbol: address for address, token in tables.tokens.items()}
    known = {factory: row for (chain, factory, _), row in KNOWN_POOLS.items() if chain == name}
    assert known.keys() == tables.factories.keys()
    for (chain, factory, fee), (symbol, other_symbol, address) in KNOWN_POOLS.items():
        if chain == name:
            hop = tables.factories[factory].hop(by_symbol[symbol], by_symbol[other_symbol], fee)
            assert hop.pool.hex() == address


@pytest.mark.parametrize("name", CHAINS)
def test_every_router_has_a_kind_and_handles_no_more_than_that_names(name: str) -> None:
    for router in load_tables(name).routers.values():
        handled = {entry.name for entry in router.entries.values() if entry.handler is not None}
        assert handled <= functions_of(router.kind), router.name


def test_every_function_that_a_kind_handles_stands_in_the_abi_of_some_router() -> None:
    handled: dict[str, set[str]] = {}
    for tables in map(load_tables, CHAINS):
        for router in (*tables.routers.values(), *tables.anywhere_inside.values()):
            names = {entry.name for entry in router.entries.values() if entry.handler is not None}
            handled.setdefault(router.kind, set()).update(names)
    assert handled == {kind: functions_of(kind) for kind in KINDS}


def test_every_command_that_is_handled_stands_in_some_versions_table() -> None:
    tables = load_tables()
    routers = [*tables.routers.values(), *tables.anywhere_inside.values()]
    named = {command.name for router in routers for command in router.commands.values()}
    assert {name for kind in ROUTERS.values() for name in (*kind.commands, *kind.harmless_commands)} <= named
    assert all(number <= router.command_mask for router in routers if router.command_mask for number in router.commands)


@pytest.mark.parametrize("name", SELECTORS)
def test_abi_tables_have_the_selectors_that_are_seen_on_chain(name: str) -> None:
    routers = {router.abi: router.address for router in read_chain().routers}
    entries = load_tables().routers[bytes.fromhex(routers[name][2:])].entries
    handled = {selector.hex() for selector, entry in entries.items() if entry.handler is not None}
    assert set(SELECTORS[name].split()) - {"12210e8a"} <= handled
    assert {"12210e8a"} & set(SELECTORS[name].split()) <= {selector.hex() for selector in entries}


def test_mistakes_between_the_tables_are_named() -> None:
    chain, abis = read_chain(), read_abis()
    router = chain.routers[0]
    wrong = {
        "kind of router": replace(router, kind="no_such_kind"),
        "abi of router": replace(router, abi="no/such"),
        "has no factory for uniswap_v2": replace(router, factories={}),
        "factory of router 'uniswap_v2_router02'": replace(router, factories={"uniswap_v2": "no_such"}),
        "is not 0x and 40 hex digits": replace(router, address="0x12"),
    }
    for message, changed in wrong.items():
        with pytest.raises(ConfigError, match=message):
            build_tables(replace(chain, routers=(changed,)), abis)
    with pytest.raises(ConfigError, match="stands twice"):
        build_tables(replace(chain, routers=(router, router)), abis)
    with pytest.raises(ConfigError, match="'uniswap_v3' has no fee of 123 pips"):
        build_tables(replace(chain, usd_pool=replace(chain.usd_pool, fee_pips=123)), abis)
