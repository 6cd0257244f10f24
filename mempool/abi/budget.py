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
"""All that a call may have worked out of what it names, where its pools stand and what their ids are, for its paths and in the
search for pools alike: 5 to 13 us each. Real calls have been seen to need up to 204."""
MAX_WORK = 6_500
"""Of items, commands and hashes together, each weighed by the functions that it takes to call, some 8 for an item. It is enough
for as many of one of them as there may be and for 250 swaps on pools never seen, but not for the most of each. Real calls have
been seen to need up to 3,200."""
COMMAND_WORK = 12
HASH_WORK = 6
_WORK_SPARED = MAX_ITEMS + COMMAND_WORK * MAX_COMMANDS + HASH_WORK * MAX_HASHES - MAX_WORK
"""What is left of all the three when no more may be done."""
MAX_HELD_BYTES = 384 * 1024
"""Of the calldata at all levels around the one that is read: what was read of each, and copied to pass it down."""
MAX_NEW_READERS = 16
"""Each is made of source text when the first calldata of its length comes, which takes some 200 us."""
_NEVER_TOO_MUCH = MAX_HELD_BYTES // (2 * MAX_DEPTH) - SPARE_BYTES
"""Calldata of this length holds no more than that, however it is nested."""


class Budget(Struct, gc=False):
    """Running totals of one call. Every dynamic byte and every array item is charged each time it is used, so aliased offsets
    are legal until they become amplification.

    The bytes are counted per level of nesting: calldata inside calldata is read once at each level that holds it. What all the
    levels around hold at a time is bounded as a whole. Items, commands and hashes are counted over the whole call.
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
    held_bytes: int = 0
    """By the levels around, and copies made at this one."""
    first_left: int = 0
    """Bytes left when this level was entered."""
    around: list[tuple[int, int]] = []
    """`(held_bytes, first_left)` of each level around, where the call is long enough for it to matter."""
    readers_left: int = MAX_NEW_READERS

    def charge_command(self) -> None:
        self.commands_left -= 1
        if self.commands_left < 0 or self.is_out_of_work:
            raise self.out_of_commands()

    def charge_items(self, count: int) -> None:
        self.items_left -= count
        if self.items_left < 0:
            raise self.out_of_items()

    def charge_hashes(self, count: int) -> None:
        self.hashes_left -= count
        if self.hashes_left < 0:
            raise self.refused(f"needs more than {MAX_HASHES} hashes")
        if self.is_out_of_work:
            raise self.out_of_commands()

    @property
    def is_out_of_work(self) -> bool:
        return self.items_left + COMMAND_WORK * self.commands_left + HASH_WORK * self.hashes_left < _WORK_SPARED

    def enter(self, size: int) -> None:
        """Go down into calldata that this call carries; `size` is the length of the whole call."""
        if self.depth == MAX_DEPTH:
            raise self.refused(f"is nested deeper than {MAX_DEPTH}")
        levels, depth = self.levels, self.depth + 1
        if not levels:
            levels.append(self.bytes_left)
            self.first_left = size + SPARE_BYTES
        if len(levels) == depth:
            levels.append(size + SPARE_BYTES)
        levels[depth - 1] = left = self.bytes_left
        self.bytes_left = levels[depth]
        self.depth = depth
        if size > _NEVER_TOO_MUCH:
            self.around.append((self.held_bytes, self.first_left))
            self.hold(self.first_left - left)
            self.first_left = self.bytes_left

    def leave(self) -> None:
        """Come back up to the level around."""
        levels, depth = self.levels, self.depth
        levels[depth] = self.bytes_left
        self.depth = depth = depth - 1
        self.bytes_left = levels[depth]
        if self.around:
            self.held_bytes, self.first_left = self.around.pop()

    def hold(self, size: int) -> None:
        """Count a copy that is kept for as long as this level is read."""
        self.held_bytes += size
        if self.held_bytes > MAX_HELD_BYTES:
            raise self.refused(f"carries more than {MAX_HELD_BYTES} bytes inside each other")

    def kept(self, data: bytes) -> bytes:
        """The same calldata, cut out of what the call carries or made anew, and counted as such a copy."""
        self.hold(len(data))
        return data

    def may_make_reader(self) -> bool:
        """Whether one more may be made for this call, in which case it is counted."""
        self.readers_left -= 1
        return self.readers_left >= 0

    def out_of_commands(self) -> MalformedCalldata:
        if self.commands_left < 0:
            return self.refused(f"has more than {MAX_COMMANDS} commands")
        return self.refused("has too many items, commands and hashes together")

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
