"""Wrappers: contracts that carry calls of other contracts, one file for each kind, and the table that names them."""

from __future__ import annotations

from collections.abc import Mapping

from mempool.decode.tables import RouterKind

WRAPPERS: Mapping[str, RouterKind] = {}
"""By the `kind` of a contract in a chain's file."""
