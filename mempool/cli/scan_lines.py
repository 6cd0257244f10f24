"""What `mempool scan` prints: the lines of `mempool tail`, each with what has happened to its gap."""

from __future__ import annotations

import sys

import typer

from mempool.cli.book_lines import BookLines
from mempool.cli.console import stdout_console
from mempool.cli.status_line import StatusLine
from mempool.cli.tail_lines import as_object
from mempool.engine.counters import Counters
from mempool.engine.scan import Finding
from mempool.model.display import printable
from mempool.model.record import ArbitrageEnded
from mempool.store.passing import PassingFindings

SCHEMA = "mempool.scan/1"
OPENED, BETTER, CLOSED, MISSED = "opened", "better", "closed", "near_miss"


class FindingPrinter:
    """`show` takes every finding, near miss and end in its order; near misses are printed where that is asked for.

    A near miss is told of when it has closed, and again once it has come nearer and at its end where it was more gaps than
    that one. People see a finding when it opens and, at its best, when it closes; objects say in between what has become
    better.
    """

    def __init__(self, *, as_json: bool, near_misses: bool) -> None:
        self._as_json, self._near_misses = as_json, near_misses
        self._rows = PassingFindings()
        self._lines = BookLines(lambda token, amount: f"{amount} of {token}", {})
        self._console = stdout_console()
        self._line = StatusLine()
        self._open: set[int] = set()
        """The findings that were told of."""

    def show(self, record: Finding) -> None:
        row = self._rows.row(record)
        happened = self._happened(record)
        if row is None or not happened or (happened == BETTER and not self._as_json):
            return
        self._line.end()
        if self._as_json:
            import orjson

            sys.stdout.write(orjson.dumps({**as_object(row), "schema": SCHEMA, "event": happened}).decode() + "\n")
        else:
            text = self._lines.finding(row)
            if happened == CLOSED:
                text.append("  closed", "dim")
            text.plain = printable(text.plain)
            self._console.print(text, soft_wrap=True)
        sys.stdout.flush()

    def status(self, text: str) -> None:
        self._line.show(text)

    def remark(self, text: str) -> None:
        self._line.remark(text)

    def sum_up(self, counters: Counters) -> None:
        """One line on stderr."""
        self._line.end()
        findings, misses = f"{counters.arbitrages:,} findings", f"{counters.near_misses:,} near misses"
        below = f", {counters.below_minimum:,} findings below the least profit" if counters.below_minimum else ""
        typer.echo(f"scanned {counters.book_quotes:,} quotes: {findings}, {misses}{below}", err=True)

    def close(self) -> None:
        self._rows.close()

    def _happened(self, record: Finding) -> str:
        """Empty where it is not to be told of."""
        number = record.number
        if isinstance(record, ArbitrageEnded):
            was_open = number in self._open
            self._open.discard(number)
            return CLOSED if was_open else ""
        if record.arbitrage.rejection is not None:
            return MISSED if self._near_misses else ""
        if number in self._open:
            return BETTER
        self._open.add(number)
        return OPENED
