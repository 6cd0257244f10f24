"""A line of a printed tree, for trees of a thousand lines: rich's own `Text` takes three times as long to print."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

_BOLD = Style(bold=True)


class TreeLine(Struct, frozen=True, gc=False):
    """Plain words and bold ones after them, printed as `Text` prints them.

    What fits on one line goes out as it is. What has to be wrapped, or holds what is not printed, is left to `Text`.
    """

    plain: str
    bold: str = ""

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[Segment | Text]:
        whole = self.plain + self.bold
        if not whole.isprintable() or not 0 < cell_len(whole) <= options.max_width:
            yield Text(self.plain).append(self.bold, "bold")
            return
        yield Segment(self.plain)
        if self.bold:
            yield Segment(self.bold, _BOLD)
