"""Writes the logs that real V2 pairs and ERC-20 tokens would leave, by the pairs' own maths, and simulates intents alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from mempool.amm.path import swap_path_exact_in, swap_path_exact_out
from mempool.amm.uniswap_v2 import SWAP_TOPIC, SYNC_TOPIC, V2Pool
from mempool.grade.outcomes import GradedCall, MinedCall, grade_call
from mempool.grade.swap_topics import TRANSFER_TOPIC
from mempool.model.block import BlockRef, Log, Receipt
from mempool.model.price import PriceImpact
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut, Hop, HopResult, Size, SwapIntent, SwapResult
from mempool.model.transaction import PendingTransaction

SENDER, ROUTER = b"\x51" * 20, b"\x52" * 20
WETH, TAXED, DOLLAR = b"\x10" * 20, b"\x20" * 20, b"\x30" * 20
PARENT = BlockRef(99, "0x" + "aa" * 32, "0x" + "a9" * 32, 1_700_000_000)
TX_HASH = "0x" + "01" * 32
ETHER = 10**18


def pair(address: bytes, token0: bytes, token1: bytes, reserve0: int = 1_000 * ETHER, reserve1: int = 5_000 * ETHER) -> V2Pool:
    return V2Pool(address, token0, token1, 3000, reserve0, reserve1)


WETH_TAXED = pair(b"\xa1" * 20, WETH, TAXED)
TAXED_DOLLAR = pair(b"\xa2" * 20, TAXED, DOLLAR, 7_000 * ETHER, 900 * ETHER)
WETH_DOLLAR = pair(b"\xa3" * 20, WETH, DOLLAR, 400 * ETHER, 1_000_000 * ETHER)


def hop(pool: V2Pool, token_in: bytes) -> Hop:
    token_out = pool.token1 if token_in == pool.token0 else pool.token0
    return Hop("uniswap_v2", "uniswap_v2", pool.address, token_in, token_out, pool.fee_pips)


def intent(size: Size, *hops: Hop, scopes: tuple[int, ...] = ()) -> SwapIntent:
    return SwapIntent("router", "swap", hops, size, SENDER, revert_scopes=scopes)


def call(*intents: SwapIntent, completeness: Completeness = Completeness.EXACT) -> DecodedCall:
    return DecodedCall("router", b"\x00" * 4, completeness, intents)


def simulated(wanted: SwapIntent, pools: Sequence[V2Pool], reverts: str = "") -> SwapResult:
    """The intent on these pools, one a hop."""
    tokens = [each.token_in for each in wanted.hops]
    size = wanted.size
    if isinstance(size, ExactOut):
        swaps = swap_path_exact_out(pools, tokens, size.amount_out)
    else:
        assert isinstance(size, ExactIn)
        swaps = swap_path_exact_in(pools, tokens, size.amount_in)
    hops = tuple(
        HopResult(
            each, swap.amount_in, swap.amount_out, PriceImpact(swap.amount_in, swap.amount_out, 1, 1, 3000), pool, swap.after
        )
        for each, swap, pool in zip(wanted.hops, swaps, pools, strict=True)
    )
    return SwapResult(wanted, hops, swaps[0].amount_in, swaps[-1].amount_out, reverts, PARENT)


class Ledger:
    """Pairs that trade, and the logs that they write."""

    def __init__(self, *pools: V2Pool) -> None:
        self.pools = {pool.address: pool for pool in pools}
        self.before = dict(self.pools)
        self.logs: list[Log] = []

    def transfer(self, token: bytes, source: bytes, target: bytes, amount: int) -> None:
        topics = (TRANSFER_TOPIC, source.rjust(32, b"\x00"), target.rjust(32, b"\x00"))
        self.logs.append(Log(token, topics, amount.to_bytes(32)))

    def swap(self, pool: V2Pool, token_in: bytes, received: int, *, payer: bytes = SENDER, fee_pips: int = 3000) -> int:
        """The pair receives from `payer` and pays all that its maths allows, into the transaction's logs."""
        self.transfer(token_in, payer, pool.address, received)
        charging = structs.replace(self.pools[pool.address], fee_pips=fee_pips)
        paid = charging.swap_exact_in(token_in, received).amount_out
        self.settle(pool, token_in, received, paid)
        return paid

    def settle(self, pool: V2Pool, token_in: bytes, received: int, paid: int) -> None:
        """The pair's own two events, and its reserves afterwards."""
        before = self.pools[pool.address]
        forward = token_in == pool.token0
        change0, change1 = (received, -paid) if forward else (-paid, received)
        after = structs.replace(before, reserve0=before.reserve0 + change0, reserve1=before.reserve1 + change1)
        amounts = (received, 0, 0, paid) if forward else (0, received, paid, 0)
        self.pools[pool.address] = after
        self.logs.append(Log(pool.address, (SYNC_TOPIC,), words(after.reserve0, after.reserve1)))
        self.logs.append(Log(pool.address, (SWAP_TOPIC, ROUTER.rjust(32, b"\x00"), SENDER.rjust(32, b"\x00")), words(*amounts)))

    def receipt(self, *, succeeded: bool = True) -> Receipt:
        return Receipt(TX_HASH, succeeded, 100_000, tuple(self.logs) if succeeded else ())

    def grade(
        self,
        asked: DecodedCall,
        results: Sequence[SwapResult | None],
        predicted: Sequence[SwapResult | None] | None = None,
        *,
        movers: Mapping[bytes, tuple[str, ...]] | None = None,
        succeeded: bool = True,
    ) -> GradedCall:
        mined = MinedCall(transaction(), asked, self.receipt(succeeded=succeeded), 100, results, self.before.get)
        return grade_call(mined, results if predicted is None else predicted, movers or {})


def transaction() -> PendingTransaction:
    return PendingTransaction(TX_HASH, SENDER, ROUTER, 0, 0, 500_000, 10**9, 10**9, b"", 0, "node")


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32) for value in values)
