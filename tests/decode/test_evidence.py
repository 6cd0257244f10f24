"""What a router's `tested` claims is so: every router decodes its kind's example, and real calls are met in the mined blocks."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson
import pytest

from mempool.decode import DecodeTables, decode
from mempool.decode.build import KINDS
from mempool.decode.tables import RouterTable
from mempool.decode.wrappers import WRAPPERS
from mempool.errors import MalformedCalldata
from mempool.model.chain import Evidence
from mempool.model.swap import Completeness
from mempool.resources import chain_names, load_tables
from tests.decode.calls import SENDER, calldata, tables
from tests.decode.examples import all_examples

SWAPS = {Completeness.EXACT, Completeness.AMOUNT_UNKNOWN, Completeness.TOKENS_UNKNOWN, Completeness.PARTIAL}
SOMEWHERE = b"\x5a" * 20
MOVES_TOKENS_ONLY = {"permit2"}


@cache
def chain_tables(name: str) -> DecodeTables:
    return load_tables(name)


def rows(chain: DecodeTables) -> list[RouterTable]:
    """All contracts of a chain's file."""
    return [*chain.routers.values(), *{table.name: table for table in chain.anywhere_inside.values()}.values()]


def swapping(chain: DecodeTables) -> Iterator[tuple[RouterTable, bytes]]:
    """Each router of the chain whose kind handles something, with its address; what stands anywhere, at one of them."""
    anywhere = {table.name for table in chain.anywhere.values()}
    for table in rows(chain):
        if KINDS[table.kind].functions and table.kind not in MOVES_TOKENS_ONLY and (table.address or table.name in anywhere):
            yield table, table.address or SOMEWHERE


def test_every_kind_of_router_that_swaps_has_an_example() -> None:
    kinds = {router.kind for name in chain_names() for router, _ in swapping(chain_tables(name))}
    assert kinds - all_examples().keys() == set(), "give these kinds an example: EXAMPLES in the module that tests them"


@pytest.mark.parametrize("name", chain_names())
def test_every_router_decodes_the_example_of_its_kind(name: str) -> None:
    chain, examples = chain_tables(name), all_examples()
    for router, address in swapping(chain):
        data, value_wei = examples[router.kind](chain, router)
        call = decode(chain, address, data, value_wei, SENDER)
        assert call is not None, router.name
        assert call.intents, (router.name, call.completeness, call.reason)
        assert call.completeness in SWAPS, (router.name, call.reason)


@cache
def met_in_blocks(folder: Path) -> frozenset[str]:
    """The names of the routers through which a mined transaction swaps, and of the wrappers through which one goes."""
    met: set[str] = set()
    for path in sorted(folder.glob("mainnet/[0-9]*.json.gz")):
        block = orjson.loads(gzip.decompress(path.read_bytes()))["block"]
        for transaction in block["transactions"]:
            met |= contracts_of(transaction)
    return frozenset(met)


def contracts_of(transaction: dict[str, str]) -> set[str]:
    if not transaction["to"]:
        return set()
    to, sender, data = (bytes.fromhex(transaction[key][2:]) for key in ("to", "from", "input"))
    try:
        call = decode(tables(), to, data, int(transaction["value"], 16), sender)
    except MalformedCalldata:
        return set()
    if call is None:
        return set()
    return {step.contract for step in call.steps if call.intents or step.contract in wrappers()}


@cache
def wrappers() -> frozenset[str]:
    """The names of the contracts that carry calls: most real ones carry no swap."""
    return frozenset(row.name for row in rows(tables()) if row.kind in WRAPPERS)


@pytest.mark.shared
def test_router_is_called_tested_on_a_real_call_if_and_only_if_the_mined_blocks_have_one(shared_data: Path) -> None:
    met = met_in_blocks(shared_data)
    claimed = {row.name for row in rows(tables()) if row.tested is Evidence.REAL}
    listed = {row.name for row in rows(tables())}
    assert {"claimed": claimed - met, "not claimed": (met & listed) - claimed} == {"claimed": set(), "not claimed": set()}


@pytest.mark.parametrize("name", [name for name in chain_names() if name != "ethereum"])
def test_no_router_of_a_chain_without_recorded_blocks_claims_a_real_call(name: str) -> None:
    assert [row.name for row in rows(chain_tables(name)) if row.tested is not Evidence.CONSTRUCTED] == []


@pytest.mark.parametrize("name", chain_names())
def test_swap_inside_a_call_that_may_fail_may_fail_itself_whatever_its_router(name: str) -> None:
    chain, examples = chain_tables(name), all_examples()
    (multicall3,) = (router for router in chain.routers.values() if router.kind == "multicall3")
    for router in chain.routers.values():
        if router.kind not in examples:
            continue
        data, value_wei = examples[router.kind](chain, router)
        tried = calldata("aggregate3Value((address,bool,uint256,bytes)[])", [(router.address, True, value_wei, data)])
        call = decode(chain, multicall3.address, tried, value_wei, SENDER)
        assert call is not None, router.name
        assert [intent.function for intent in call.intents if not intent.allow_revert] == [], router.name
