"""Which transactions a feed tells of: by the contract that is called, or by the selector of the function."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

_INPUT = b'"input":"0x'
_SELECTOR_DIGITS = 8


class Targets(Struct, frozen=True):
    """As the frames spell them, in lower-case: `addresses` as `0x` and 40 hex digits, `selectors` as 8 hex digits."""

    addresses: frozenset[bytes]
    selectors: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, addresses: Iterable[bytes], selectors: Iterable[bytes] = ()) -> Targets:
        """Of raw bytes."""
        return cls(
            frozenset(f"0x{address.hex()}".encode() for address in addresses),
            frozenset(selector.hex().encode() for selector in selectors),
        )

    def are_missed_by(self, to: bytes, frame: bytes, start: int) -> bool:
        """Whether a frame's transaction, sent to `to`, is none of these; its `input`, if it has one, stands after `start`."""
        if to.lower() in self.addresses:
            return False
        if not self.selectors:
            return True
        at = frame.find(_INPUT, start)
        first = at + len(_INPUT)
        return at >= 0 and frame[first : first + _SELECTOR_DIGITS].lower() not in self.selectors

    def hold(self, to: str | None, calldata: str) -> bool:
        """Whether a transaction's fields, as JSON-RPC spells them, name one of these."""
        if to is None:
            return False
        return to.lower().encode() in self.addresses or calldata[2 : 2 + _SELECTOR_DIGITS].lower().encode() in self.selectors
