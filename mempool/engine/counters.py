"""What one engine has counted so far; the status line, the summary and the `runs` table read it."""

from __future__ import annotations

from msgspec import Struct, structs


class Counters(Struct):
    """Plain counts. Every sighting ends as `foreign`, `repeated`, `not_a_swap`, `unreadable` or one of the `swaps`."""

    seen: int = 0
    """Announcements of pending transactions, of all nodes; what a back-fill brought is not among them."""
    backfilled: int = 0
    """Calls to listed routers that no announcement, only a node's whole pool, has shown."""
    foreign: int = 0
    """Announced for another target than a listed router."""
    not_a_swap: int = 0
    unreadable: int = 0
    """Calls to a listed router that it would revert on, or that go beyond the reader's budget."""
    swaps: int = 0
    repeated: int = 0
    """Sightings of a swap that is known: by another node, or by the back-fill."""
    replaced: int = 0
    vanished: int = 0
    evicted: int = 0
    """Swaps that are no longer followed because too many others wait."""
    simulated: int = 0
    """Intents with a prediction."""
    not_simulated: int = 0
    """Intents of which the pool, the amount or the path is not known."""
    state_unknown: int = 0
    """Findings, and intents, whose size needs a tick that is not loaded."""
    opportunities: int = 0
    below_minimum: int = 0
    """Findings whose profit is under `--min-profit`."""
    blocks: int = 0
    unread_blocks: int = 0
    """Heads whose block could not be read; the next head reads it again."""
    reorged_blocks: int = 0
    graded: int = 0
    """Hops with an outcome."""
    malformed_messages: int = 0
    waiting_dropped: int = 0
    """Swaps that gave up waiting for their pools because the table was full."""
    store_dropped: int = 0
    """Records that the store had no room for."""
    book_quotes: int = 0
    """Changes of a followed book's best quote."""
    book_faults: int = 0
    """Messages of exchanges that could not be used, and those that were found missing."""
    book_gaps: int = 0
    """Times that a followed book lost its price."""
    arbitrages: int = 0
    """Findings in which order books take part."""
    near_misses: int = 0
    """Those that something rejects."""
    unheard: int = 0
    """Swaps that were sent and mined while no pool was heard; a block read after the gap has shown them."""

    @property
    def heard(self) -> int:
        return self.seen + self.backfilled

    def as_dict(self) -> dict[str, int]:
        return structs.asdict(self)
