"""The live line on stderr: rewritten in place on a terminal, else printed every ten seconds."""

from __future__ import annotations

import shutil
import sys
import time

import typer

from mempool.model.display import display

PLAIN_STATUS_SECONDS = 10.0
CLEAR_LINE = "\r\x1b[K"


class StatusLine:
    """Whoever prints something else calls `end` before."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._printed_at = time.monotonic()

    def begin(self, text: str) -> None:
        """What is being waited for, on a terminal, until there is something to show."""
        if self._on_terminal:
            sys.stderr.write(fitting(display(text, 200)))
            sys.stderr.flush()

    def show(self, text: str) -> None:
        if self._on_terminal:
            sys.stderr.write(f"{CLEAR_LINE}{fitting(text)}")
            sys.stderr.flush()
        elif time.monotonic() - self._printed_at >= PLAIN_STATUS_SECONDS:
            self._printed_at = time.monotonic()
            typer.echo(text, err=True)

    def remark(self, text: str) -> None:
        """One line of its own."""
        self.end()
        typer.echo(display(text, 500), err=True)

    def end(self) -> None:
        if self._on_terminal:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()


def fitting(text: str) -> str:
    """Cut to one row of the terminal: what wraps is not cleared with its row."""
    columns = shutil.get_terminal_size().columns
    return text if len(text) < columns else text[: columns - 2] + "…"
