"""`mempool replay`: play a capture through the same engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mempool.errors import CaptureError


def replay_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A capture that `mempool run --record` wrote.")],
    db: Annotated[
        Path, typer.Option(metavar="FILE", help="The SQLite file; a new one gets the same rows as the recorded run.")
    ] = Path("mempool.sqlite"),
    min_profit: Annotated[
        float, typer.Option(metavar="ETH", min=0.0, help="Store no finding below this profit; at 0 losses are stored too.")
    ] = 0.0,
) -> None:
    """Play a capture again: the same messages through the same engine give the same rows.

    \b
    Example:
      mempool replay today.capture.gz --db today.sqlite
    """
    from mempool.cli.summary import print_summary
    from mempool.engine.core import EngineOptions
    from mempool.engine.replay import replay_capture

    try:
        summary = replay_capture(file, db, EngineOptions(min_profit_eth=min_profit))
    except CaptureError as problem:
        kept = f"; what stands before it is in {db}" if problem.line > 1 else ""
        raise CaptureError(problem.path, problem.line, problem.reason + kept) from None
    print_summary(summary.tally, db)
    typer.echo(f"replayed in {summary.seconds:.1f} s", err=True)
