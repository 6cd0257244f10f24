"""Numbers and times as the venues write them."""

from __future__ import annotations

import time

from scripts._exchanges.listings import SECOND_NS


class Numbers(dict[int, str]):
    """`numbers[n]` is the text of `n * 10**-decimals`: with all decimals, or without zeros at the end."""

    def __init__(self, decimals: int, *, trimmed: bool) -> None:
        super().__init__()
        self._decimals, self._trimmed = decimals, trimmed

    def __missing__(self, number: int) -> str:
        whole, part = divmod(number, 10**self._decimals)
        text = f"{whole}.{part:0{self._decimals}d}" if self._decimals else str(whole)
        if self._trimmed and self._decimals:
            text = text.rstrip("0").rstrip(".")
        if len(self) > 50_000:
            self.clear()
        self[number] = text
        return text


def iso(time_ns: int, digits: int) -> str:
    """RFC 3339 with so many digits of the second's part."""
    seconds, part = divmod(time_ns, SECOND_NS)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{part:09d}"[: 20 + digits] + "Z"
