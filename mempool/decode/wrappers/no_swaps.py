"""Contracts that wrapped calls often visit and that swap nothing: known by name, so that they do not make a call opaque."""

from __future__ import annotations

from mempool.abi import Padding
from mempool.decode.tables import RouterKind

NO_SWAPS = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={})
