"""The byte program of Sushi's route processors, read to its steps: what is taken from where, and the pool that gets it.

Layouts are those of the contracts' `InputStream`: numbers and addresses stand without padding, one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from msgspec import Struct

from mempool.abi import Budget
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import plain_token

ALL_SHARES = 65_535
_WORD = 1 << 256
_PAIR_FEE_PIPS = 3000
_NATIVE, _ONE_POOL, _PERMIT = 3, 4, 6
_PERMIT_BYTES = 4 * 32 + 1


class Source(Enum):
    """Whose balance a step takes its input from."""

    SENDER = "sender"
    """An amount that the call states."""
    PROCESSOR = "processor"
    """What it has."""
    POOL = "pool"
    """The pool was paid before."""
    BENTO = "bento"
    """The processor's account at BentoBox, whose shares are not amounts."""


_SHARED = {1: Source.PROCESSOR, 2: Source.SENDER, _NATIVE: Source.PROCESSOR, 5: Source.BENTO}
"""Commands that share what they take among pools."""


class Funds(Struct, frozen=True, gc=False):
    """What a step gets: `wei` that the call states where the sender pays, else `share` of what the source has left."""

    source: Source
    token: bytes
    wei: int = 0
    share: int = ALL_SHARES


class PoolStep(Struct, frozen=True, gc=False):
    """One pool, or one conversion, of a program. `flags` hold the direction; `token_out` is empty where the program lacks it."""

    name: str
    funds: Funds
    pool: bytes
    recipient: bytes
    flags: int = 0
    token_out: bytes = b""
    fee_pips: int | None = None


class Stream(Struct, gc=False):
    """Reads a program from its start; `size` is its length without the zeros that pad its last word in memory."""

    data: bytes
    size: int
    budget: Budget
    position: int = 0

    @property
    def has_more(self) -> bool:
        return self.position < self.size

    def take(self, size: int) -> bytes:
        """The next bytes. What lies beyond the program's padding is other memory."""
        start = self.position
        self.position = start + size
        if self.position > len(self.data):
            raise self.budget.malformed("the route ends inside a step")
        return self.data[start : self.position]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def address(self) -> bytes:
        return self.take(20)

    def token(self) -> bytes:
        """An address, with zeros for the native coin."""
        return plain_token(self.take(20))


ReadPool = Callable[[Stream, Funds], PoolStep]


def read_program(route: bytes, amount_in: int, pools: Mapping[int, ReadPool], budget: Budget) -> list[PoolStep]:
    """The steps in order, the sender's `amount_in` shared out among those that it pays for.

    Raises `MalformedCalldata` for a command or a pool type that the processor does not have; each step is charged as a command.
    """
    stream = Stream(route + bytes(-len(route) % 32), len(route), budget)
    steps: list[PoolStep] = []
    while stream.has_more:
        budget.charge_command()
        code = stream.number(1)
        if code == _PERMIT:
            stream.take(_PERMIT_BYTES)
        elif code in _SHARED:
            source, token = _SHARED[code], NATIVE if code == _NATIVE else stream.token()
            _read_shared(stream, Funds(source, token, amount_in), pools, steps)
        elif code == _ONE_POOL:
            steps.append(_read_pool(stream, Funds(Source.POOL, stream.token()), pools))
        else:
            raise budget.malformed(f"the processor has no command {code}")
    return steps


def _read_shared(stream: Stream, funds: Funds, pools: Mapping[int, ReadPool], steps: list[PoolStep]) -> None:
    """The pools that share an amount: each takes `left * share / 65535`, rounded down, of what those before it left."""
    left = funds.wei if funds.source is Source.SENDER else 0
    for _ in range(stream.number(1)):
        stream.budget.charge_command()
        share = stream.number(2)
        wei = left * share % _WORD // ALL_SHARES  # unchecked in the contracts
        left = (left - wei) % _WORD
        steps.append(_read_pool(stream, Funds(funds.source, funds.token, wei, share), pools))


def _read_pool(stream: Stream, funds: Funds, pools: Mapping[int, ReadPool]) -> PoolStep:
    pool_type = stream.number(1)
    read = pools.get(pool_type)
    if read is None:
        raise stream.budget.malformed(f"the processor has no pool type {pool_type}")
    return read(stream, funds)


def _read_pair(stream: Stream, funds: Funds) -> PoolStep:
    pool, direction, recipient, fee_pips = stream.address(), stream.number(1), stream.address(), stream.number(3)
    return PoolStep("swapUniV2", funds, pool, recipient, direction, b"", fee_pips)


def _read_pair_without_fee(stream: Stream, funds: Funds) -> PoolStep:
    pool, direction, recipient = stream.address(), stream.number(1), stream.address()
    return PoolStep("swapUniV2", funds, pool, recipient, direction, b"", _PAIR_FEE_PIPS)


def _read_v3(stream: Stream, funds: Funds) -> PoolStep:
    pool, zero_for_one, recipient = stream.address(), stream.number(1), stream.address()
    return PoolStep("swapUniV3", funds, pool, recipient, zero_for_one)


def _read_wrap(stream: Stream, funds: Funds) -> PoolStep:
    flags, recipient = stream.number(1), stream.address()
    return PoolStep("wrapNative", funds, b"", recipient, flags, stream.address() if flags & 1 else NATIVE)


def _read_bento(stream: Stream, funds: Funds) -> PoolStep:
    direction, recipient = stream.number(1), stream.address()
    return PoolStep("bentoBridge", funds, b"", recipient, direction)


def _read_trident(stream: Stream, funds: Funds) -> PoolStep:
    """Pool and swap data, whose second word is the recipient in every kind of Trident pool."""
    pool, size = stream.address(), stream.number(32)
    return PoolStep("swapTrident", funds, pool, stream.take(size)[44:64])


def _read_curve(stream: Stream, funds: Funds) -> PoolStep:
    """Pool, kind of pool, two coin numbers, recipient and token out."""
    pool, _ = stream.address(), stream.take(3)
    recipient, token_out = stream.address(), stream.token()
    return PoolStep("swapCurve", funds, pool, recipient, 0, token_out)


POOLS_3: Mapping[int, ReadPool] = {
    0: _read_pair_without_fee,
    1: _read_v3,
    2: _read_wrap,
    3: _read_bento,
    4: _read_trident,
}
"""Of RouteProcessor3, 3.1 and 3.2."""
POOLS: Mapping[int, ReadPool] = {**POOLS_3, 0: _read_pair, 5: _read_curve}
"""Of RouteProcessor4 and 5."""
