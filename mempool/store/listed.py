"""The records that put a chain's configured tokens and names into the database."""

from __future__ import annotations

from collections.abc import Iterator

from mempool.model.chain import Chain
from mempool.model.record import LabelSeen, Record, TokenSeen


def listed_records(chain: Chain) -> Iterator[Record]:
    """The chain's tokens and the labels of its factories and routers; put them first in every run."""
    for token in chain.tokens:
        address = bytes.fromhex(token.address.removeprefix("0x"))
        wraps = chain.native_symbol if token.address.lower() == chain.wrapped_native.lower() else ""
        yield TokenSeen(address, token.symbol, token.decimals, listed=True, wraps=wraps)
    for factory in chain.factories:
        yield LabelSeen("protocol", factory.name, factory.label)
    for router in chain.routers:
        yield LabelSeen("router", router.name, router.label)
