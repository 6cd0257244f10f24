"""The pending-pool state machine: which transactions are waiting, and which of them stand in for another."""

from mempool.pending.pool import Departure, PendingPool, Sighting, SightingKind

__all__ = ["Departure", "PendingPool", "Sighting", "SightingKind"]
