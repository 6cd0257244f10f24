"""Real calls out of recorded blocks, to measure the decoders on: the first of each wanted shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from mempool.decode import DecodeTables, decode_transaction
from mempool.engine.block_file import read_block_file
from mempool.model.transaction import PendingTransaction
from scripts._bench.calls import ETH_ABI, OF_UNIVERSAL_ROUTER

UNIVERSAL_ROUTERS = ("uniswap_universal_router_v1", "uniswap_universal_router_v1_2", "uniswap_universal_router_v2_1_1")


class Shape(Struct, frozen=True):
    """A router and the names of all that runs in the call."""

    work: str
    router: str
    steps: tuple[str, ...]
    expected: Mapping[str, float] = {}


def _plan(work: str, router: str, *commands: str) -> Shape:
    return Shape(work, router, ("execute", *commands), OF_UNIVERSAL_ROUTER)


V1, V1_2, V2_1_1 = UNIVERSAL_ROUTERS
SHAPES = (
    Shape("mined V2 swap", "uniswap_v2_router02", ("swapExactTokensForTokens",), {ETH_ABI: 25}),
    Shape("mined SwapRouter02 multicall, V3 single", "uniswap_swap_router02", ("multicall", "exactInputSingle")),
    _plan("mined Universal Router V1.2, wrap and V2 swap", V1_2, "WRAP_ETH", "V2_SWAP_EXACT_IN"),
    _plan(
        "mined Universal Router V1, permit, V3 swap, fee, unwrap",
        V1,
        "PERMIT2_PERMIT",
        "V3_SWAP_EXACT_IN",
        "PAY_PORTION",
        "UNWRAP_WETH",
    ),
    _plan("mined Universal Router V1.2, permit, V2 swap, unwrap", V1_2, "PERMIT2_PERMIT", "V2_SWAP_EXACT_IN", "UNWRAP_WETH"),
    _plan("mined Universal Router V2.1.1, wrap and V3 swap", V2_1_1, "WRAP_ETH", "V3_SWAP_EXACT_IN"),
)


def mined_calls(blocks: Sequence[Path], tables: DecodeTables) -> Iterator[tuple[Shape, PendingTransaction]]:
    """The first transaction of each shape, in the order of the shapes; shapes that no block has are left out."""
    found: dict[tuple[str, tuple[str, ...]], PendingTransaction] = {}
    for path in blocks:
        for transaction in read_block_file(path).block.transactions:
            call = decode_transaction(tables, transaction)
            if call is not None:
                found.setdefault((call.router, call.commands), transaction)
    for shape in SHAPES:
        first = found.get((shape.router, shape.steps))
        if first is not None:
            yield shape, first
