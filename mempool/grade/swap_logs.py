"""Reads the swap events of every family: which pool, and which way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from mempool.grade.swap_topics import SWAP_TOPICS
from mempool.model.block import Log
from mempool.model.swap import Hop

_WORD = 32


class SwapLog(Struct, frozen=True, gc=False):
    """One swap as logged. `pool` is an address, or a 32-byte id where a vault logs for its pools.

    The direction is known as `zero_for_one` where the event has amounts by the order of the tokens, or by the tokens themselves;
    where neither says it (Curve logs indices of coins, a swap may pay nothing) it is open.
    """

    pool: bytes
    index: int
    """Position among the receipt's logs."""
    zero_for_one: bool | None = None
    tokens: tuple[bytes, bytes] | None = None

    def goes_along(self, hop: Hop) -> bool:
        """Whether it is on the hop's pool and not the other way round."""
        if self.pool != hop.pool:
            return False
        if self.tokens is not None:
            return all(said in (b"", token) for said, token in zip((hop.token_in, hop.token_out), self.tokens, strict=True))
        direction = _direction(hop)
        return direction is None or self.zero_for_one is None or direction is self.zero_for_one


def swap_logs(logs: Sequence[Log]) -> list[SwapLog]:
    """The swaps among a receipt's logs, in their order."""
    found = []
    for index, log in enumerate(logs):
        family = SWAP_TOPICS.get(log.topics[0]) if log.topics else None
        read = None if family is None else _READERS[family](log, index)
        if read is not None:
            found.append(read)
    return found


def _direction(hop: Hop) -> bool | None:
    if hop.token_in and hop.token_out:
        return hop.token_in < hop.token_out
    return hop.zero_for_one


def _word(data: bytes, number: int, *, signed: bool = False) -> int:
    return int.from_bytes(data[_WORD * number : _WORD * (number + 1)], signed=signed)


def _amounts_in(log: Log, index: int) -> SwapLog | None:
    """V2: amount0In, amount1In, amount0Out, amount1Out. A pair may be paid in both tokens: what it pays out tells the way."""
    if len(log.data) < 4 * _WORD:
        return None
    paid_out = _word(log.data, 2), _word(log.data, 3)
    paid_in = _word(log.data, 0), _word(log.data, 1)
    one_way = paid_out if bool(paid_out[0]) is not bool(paid_out[1]) else paid_in[::-1]
    return SwapLog(log.address, index, None if bool(one_way[0]) is bool(one_way[1]) else bool(one_way[1]))


def _pool_deltas(log: Log, index: int) -> SwapLog | None:
    """V3: amount0 and amount1 as the pool sees them, positive where it was paid."""
    if len(log.data) < 2 * _WORD:
        return None
    return SwapLog(log.address, index, _is_paid(_word(log.data, 0, signed=True), _word(log.data, 1, signed=True)))


def _swapper_deltas(log: Log, index: int) -> SwapLog | None:
    """V4: amount0 and amount1 as the swapper sees them, negative where it paid; the pool is the first indexed topic."""
    if len(log.data) < 2 * _WORD or len(log.topics) < 2:
        return None
    return SwapLog(log.topics[1], index, _is_paid(-_word(log.data, 0, signed=True), -_word(log.data, 1, signed=True)))


def _is_paid(amount0: int, amount1: int) -> bool | None:
    if not amount0 and not amount1:
        return None
    return amount0 > 0 or (amount0 == 0 and amount1 < 0)


def _coins(log: Log, index: int) -> SwapLog:
    return SwapLog(log.address, index)


def _tokens(log: Log, index: int) -> SwapLog | None:
    """Balancer V1: caller, tokenIn, tokenOut are the indexed topics; the pool logs for itself."""
    if len(log.topics) < 4:
        return None
    return SwapLog(log.address, index, tokens=(log.topics[2][12:], log.topics[3][12:]))


def _vault(log: Log, index: int) -> SwapLog | None:
    """Balancer V2: poolId, tokenIn, tokenOut are the indexed topics."""
    if len(log.topics) < 4:
        return None
    return SwapLog(log.topics[1], index, tokens=(log.topics[2][12:], log.topics[3][12:]))


def _vault_of_addresses(log: Log, index: int) -> SwapLog | None:
    """Balancer V3: pool, tokenIn, tokenOut are the indexed topics."""
    if len(log.topics) < 4:
        return None
    return SwapLog(log.topics[1][12:], index, tokens=(log.topics[2][12:], log.topics[3][12:]))


_READERS: dict[str, Callable[[Log, int], SwapLog | None]] = {
    "Uniswap V2": _amounts_in,
    "Uniswap V3": _pool_deltas,
    "PancakeSwap V3": _pool_deltas,
    "Uniswap V4": _swapper_deltas,
    "Curve, int128 indices": _coins,
    "Curve, uint256 indices": _coins,
    "Curve, crypto NG": _coins,
    "Curve, underlying coins": _coins,
    "Balancer V1": _tokens,
    "Balancer V2": _vault,
    "Balancer V3": _vault_of_addresses,
}
