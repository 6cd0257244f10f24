"""The live line on stderr: rewritten in place on a terminal, else printed every ten seconds."""

from __future__ import annotations

import shutil
import sys
import time

from mempool.cli.silence import silence
from mempool.model.display import display

PLAIN_STATUS_SECONDS = 10.0
CLEAR_LINE = "\r\x1b[K"


class StatusLine:
    """Whoever prints something else calls `end` before. A terminal or reader that is gone ends the line and nothing else."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._printed_at = time.monotonic()

    def begin(self, text: str) -> None:
        """What is being waited for, on a terminal, until there is something to show."""
        if self._on_terminal:
            _write(fitting(display(text, 200)))

    def show(self, text: str) -> None:
        if self._on_terminal:
            _write(f"{CLEAR_LINE}{fitting(text)}")
        elif time.monotonic() - self._printed_at >= PLAIN_STATUS_SECONDS:
            self._printed_at = time.monotonic()
            _write(f"{text}\n")

    def remark(self, text: str) -> None:
        """One line of its own."""
        self.end()
        _write(f"{display(text, 500)}\n")

    def end(self) -> None:
        if self._on_terminal:
            _write(CLEAR_LINE)


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr.fileno())


def fitting(text: str) -> str:
    """Cut to one row of the terminal: what wraps is not cleared with its row."""
    columns = shutil.get_terminal_size().columns
    return text if len(text) < columns else text[: columns - 2] + "…"
