"""What reading one call may cost, so that no calldata of any length keeps the reader busy for long."""

from __future__ import annotations

from msgspec import Struct

from mempool.errors import MalformedCalldata

MAX_CALLDATA_BYTES = 128 * 1024
"""The public pool's own limit for a transaction; what is longer is refused unread."""
SPARE_BYTES = 1024
MAX_ITEMS = 4096
MAX_COMMANDS = 256
MAX_DEPTH = 8
MAX_HASHES = 640
"""Of what a call names, to work out where its pools stand: 5 to 13 us each."""


class Budget(Struct, gc=False):
    """Running totals of one call. Every dynamic byte and every array item is charged each time it is used, so aliased offsets
    are legal until they become amplification.

    The bytes are counted per level of nesting: calldata inside calldata is read once at each level that holds it. Items,
    commands and hashes are counted over the whole call.
    """

    selector: bytes
    bytes_left: int
    items_left: int = MAX_ITEMS
    commands_left: int = MAX_COMMANDS
    hashes_left: int = MAX_HASHES
    end: int = 0
    """Position after the furthest byte that was read, its padding included."""
    depth: int = 0
    levels: list[int] = []
    """Bytes left at the levels around this one, at a place that is not read for this one itself, then at those below that were
    entered before."""

    def charge_command(self) -> None:
        self.commands_left -= 1
        if self.commands_left < 0:
            raise self.out_of_commands()

    def charge_hashes(self, count: int) -> None:
        self.hashes_left -= count
        if self.hashes_left < 0:
            raise self.refused(f"needs more than {MAX_HASHES} hashes")

    def enter(self, size: int) -> None:
        """Go down into calldata that this call carries; `size` is the length of the whole call."""
        if self.depth == MAX_DEPTH:
            raise self.refused(f"is nested deeper than {MAX_DEPTH}")
        levels, depth = self.levels, self.depth + 1
        if not levels:
            levels.append(self.bytes_left)
        if len(levels) == depth:
            levels.append(size + SPARE_BYTES)
        levels[depth - 1] = self.bytes_left
        self.bytes_left = levels[depth]
        self.depth = depth

    def leave(self) -> None:
        """Come back up to the level around."""
        levels, depth = self.levels, self.depth
        levels[depth] = self.bytes_left
        self.depth = depth = depth - 1
        self.bytes_left = levels[depth]

    def out_of_commands(self) -> MalformedCalldata:
        return self.refused(f"has more than {MAX_COMMANDS} commands")

    def out_of_bytes(self) -> MalformedCalldata:
        return self.refused("uses more dynamic bytes than it has")

    def out_of_items(self) -> MalformedCalldata:
        return self.refused(f"has more than {MAX_ITEMS} array items")

    def malformed(self, reason: str) -> MalformedCalldata:
        """The error for calldata that the contract would revert on."""
        return MalformedCalldata(self.selector, reason)

    def refused(self, reason: str) -> MalformedCalldata:
        """The error for calldata that may be valid but costs too much to read."""
        return MalformedCalldata(self.selector, reason, refused=True)
