"""What people call the contracts of a chain's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mempool.decode import DecodeTables


def label(tables: DecodeTables, name: str) -> str:
    """The label of a factory, a router or another contract; the name itself where the tables have none of it."""
    chain = tables.chain
    labels = {factory.name: factory.label for factory in chain.factories}
    labels |= {router.name: router.label for router in chain.routers}
    labels |= {contract.name: contract.label for contract in chain.anywhere}
    return labels.get(name, name)
