"""Replays every V2 and V3 swap log of recorded blocks on its pool, from the slots before the block and the earlier logs."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mempool.amm import POOL_KINDS
from mempool.amm.pool_kind import PoolKind, load_from
from mempool.amm.tick_math import MAX_TICK
from mempool.amm.uniswap_v2 import V2Pool
from mempool.amm.uniswap_v3 import V3Pool
from mempool.errors import StateUnknown, SwapImpossible
from mempool.model.block import Log
from mempool.model.pool import PoolIdentity, PoolState, PoolSwap, SwapEvent

V2, V3 = POOL_KINDS["uniswap_v2"], POOL_KINDS["uniswap_v3"]
WORDS_EACH_SIDE = 24
"""Enough for every recorded swap; the slots are only looked up in the file."""
TOKEN0, TOKEN1 = bytes(19) + b"\0", bytes(19) + b"\1"
"""Labels: the maths needs a pool's order of tokens, not their addresses."""
V2_FEE_PIPS = 3000
"""Every pair that is not listed below is held to Uniswap's own 0.3 %, whichever factory made it."""
V2_RESERVES_SLOT = 8
V2_FORKS = {
    # Linkswap's LINK/USDC pair: 0.25 %, its fee stored beside the reserves, and the reserves three slots later.
    bytes.fromhex("9d996bdd1f65c835ee92cd0b94e15d886ef14d63"): (11, 2500),
}
"""Reserves slot and fee of the pairs that are laid out otherwise."""
NO_AMOUNT_LIMIT = 2**255 - 1

Counts = Counter[str]


def replay_folder(folder: Path) -> Counts:
    """Verdicts over all blocks of the folder that carry `pre_state`; each key is `v2` or `v3`, a space and the verdict."""
    codes: dict[str, str] = json.loads(gzip.decompress((folder / "codes.json.gz").read_bytes()))
    counts: Counts = Counter()
    for path in sorted(folder.glob("[0-9]*.json.gz")):
        file = json.loads(gzip.decompress(path.read_bytes()))
        if "pre_state" in file:
            counts["blocks"] += 1
            counts.update(BlockReplay(file, codes).verdicts())
    return counts


class BlockReplay:
    """One block's logs in order, with the state of each pool as the earlier logs left it."""

    def __init__(self, file: Mapping[str, Any], codes: Mapping[str, str]) -> None:
        self.accounts = {bytes.fromhex(address[2:]): account for address, account in file["pre_state"].items()}
        self.receipts = file["receipts"]
        self.codes = codes
        self.states: dict[bytes, PoolState | None] = {}
        self.before_sync: dict[bytes, PoolState] = {}

    def verdicts(self) -> Iterator[str]:
        for log in (read_log(raw) for receipt in self.receipts for raw in receipt["logs"]):
            for kind, judge in ((V2, self.judge_v2), (V3, self.judge_v3)):
                swap = kind.read_swap(log)
                if swap:
                    yield f"{kind.name[-2:]} {judge(log, swap)}"
                if log.topics and log.topics[0] in kind.topics:
                    self.move(kind, log)

    def move(self, kind: PoolKind, log: Log) -> None:
        state = self.state(kind, log.address)
        if state:
            self.before_sync[log.address] = state
            self.states[log.address] = state.after_log(log)

    def judge_v2(self, log: Log, swap: SwapEvent) -> str:
        """The pair logs its new reserves (`Sync`) just before the swap, so the state to swap on is the one before that."""
        before, after = self.before_sync.get(log.address), self.states.get(log.address)
        assert isinstance(before, V2Pool)
        assert isinstance(after, V2Pool)
        assert after.reserve0 == before.reserve0 + swap.amount0_in - swap.amount0_out
        assert after.reserve1 == before.reserve1 + swap.amount1_in - swap.amount1_out
        assert keeps_the_invariant(before, after, swap), f"0x{log.address.hex()} paid more than its formula allows"
        if swap.amount0_in and swap.amount1_in:
            return "paid in with both tokens"
        candidates = v2_candidates(before, swap)
        exact = any((each.amount_in, each.amount_out, each.after) == (*traded(swap), after) for each in candidates)
        return "exact" if exact else "paid less than the formula allows"

    def judge_v3(self, log: Log, swap: SwapEvent) -> str:
        pool = self.state(V3, log.address)
        if not isinstance(pool, V3Pool):
            return "slots missing"
        after = pool.after_log(log)
        try:
            for name, candidate in v3_candidates(pool, swap, after.sqrt_price_x96):
                if (candidate.amount_in, candidate.amount_out, candidate.after) == (*traded(swap), after):
                    return f"exact ({name})"
        except StateUnknown:
            return "ticks unknown"
        return "different"

    def state(self, kind: PoolKind, address: bytes) -> PoolState | None:
        if address not in self.states:
            self.states[address] = self.load(kind, address)
        return self.states[address]

    def load(self, kind: PoolKind, address: bytes) -> PoolState | None:
        account = self.accounts[address]
        slots = {int(slot, 16): int(value, 16) for slot, value in account["storage"].items()}
        if kind is V3:
            fee_pips, spacing = v3_immutables(bytes.fromhex(self.codes[account["code_hash"]][2:]))
        else:
            reserves_slot, fee_pips = V2_FORKS.get(address, (V2_RESERVES_SLOT, V2_FEE_PIPS))
            slots, spacing = {V2_RESERVES_SLOT: slots[reserves_slot]}, 0
        identity = PoolIdentity(kind.name, address, TOKEN0, TOKEN1, fee_pips, spacing)
        try:
            return load_from(kind.load(identity, words_each_side=WORDS_EACH_SIDE), slots)
        except StateUnknown:
            return None


def read_log(raw: Mapping[str, Any]) -> Log:
    topics = tuple(bytes.fromhex(topic[2:]) for topic in raw["topics"])
    return Log(bytes.fromhex(raw["address"][2:]), topics, bytes.fromhex(raw["data"][2:]))


def traded(swap: SwapEvent) -> tuple[int, int]:
    """`(amount_in, amount_out)` of a swap that was paid in one token."""
    return (swap.amount0_in, swap.amount1_out) if swap.amount0_in else (swap.amount1_in, swap.amount0_out)


def token_in(swap: SwapEvent) -> bytes:
    return TOKEN0 if swap.amount0_in else TOKEN1


def keeps_the_invariant(before: V2Pool, after: V2Pool, swap: SwapEvent) -> bool:
    """The pair's own condition: the product of the reserves, less the fee on what came in, does not fall."""
    scale = 1_000_000
    adjusted0 = after.reserve0 * scale - swap.amount0_in * before.fee_pips
    adjusted1 = after.reserve1 * scale - swap.amount1_in * before.fee_pips
    return adjusted0 * adjusted1 >= before.reserve0 * before.reserve1 * scale**2


def v2_candidates(pool: V2Pool, swap: SwapEvent) -> Iterator[PoolSwap]:
    amount_in, amount_out = traded(swap)
    yield pool.swap_exact_in(token_in(swap), amount_in)
    yield pool.swap_exact_out(token_in(swap), amount_out)


def v3_candidates(pool: V3Pool, swap: SwapEvent, price_after: int) -> Iterator[tuple[str, PoolSwap]]:
    """What the caller may have asked for: the log does not say whether it was exact in, exact out, or ended by its limit."""
    amount_in, amount_out = traded(swap)
    sells = token_in(swap)
    if amount_in:
        yield "in", pool.swap_exact_in(sells, amount_in)
    if amount_out:
        yield "out", pool.swap_exact_out(sells, amount_out)
    try:
        yield "limit", pool.swap_exact_in(sells, NO_AMOUNT_LIMIT, price_after)
    except SwapImpossible:
        return


def v3_immutables(code: bytes) -> tuple[int, int]:
    """`(fee_pips, tick_spacing)` of a pool from its bytecode, where immutables stand as full words behind PUSH32.

    The greatest liquidity per tick is one of them too and follows from the spacing, which proves the reading.
    """
    words = set(push32_words(code))
    for spacing in sorted(word for word in words if 0 < word < 2**14):
        tick_count = MAX_TICK // spacing * 2 + 1
        if (2**128 - 1) // tick_count in words:
            fees = {word for word in words if 0 < word < 1_000_000} - {spacing}
            if len(fees) == 1:
                return fees.pop(), spacing
    raise ValueError("no V3 pool's bytecode")


def push32_words(code: bytes) -> Iterator[int]:
    position = 0
    while position < len(code):
        opcode = code[position]
        if opcode == 0x7F:
            yield int.from_bytes(code[position + 1 : position + 33])
        position += 1 + max(0, opcode - 0x5F if 0x60 <= opcode <= 0x7F else 0)


def as_table(counts: Mapping[str, int]) -> str:
    """The counts for a person, one verdict a line."""
    return "\n".join(f"{count:6}  {verdict}" for verdict, count in sorted(counts.items()))
