"""`mempool grade`: how the predictions came out, per router and pool family."""

from __future__ import annotations

from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mempool.cli.tail import DEFAULT_DB
from mempool.model.display import format_percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mempool.store.grades import FamilyGrade, WorstHop

SCHEMA = "mempool.grade/1"
WIDTHS = (6, 6, 6, 6, 8, 8, 9, 8)


def grade_command(
    db: Annotated[Path, typer.Option("--db", metavar="FILE", help="The database.")] = DEFAULT_DB,
    router: Annotated[
        str, typer.Option("--router", metavar="NAME", help="Only this router, by its name in the chain's tables.")
    ] = "",
    causes: Annotated[bool, typer.Option("--causes", help="Also the worst predictions, and who moved their pools.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON (schema mempool.grade/1).")] = False,
) -> None:
    """Print how exact the predictions were against the mined blocks.

    "exact" came out as predicted at first sight. "moved" came out otherwise because others moved the pool in between.
    "in order" were right to the wei when simulated again at their place in the block.

    \b
    Example:
      mempool grade --causes
    """
    from mempool.store.grades import family_grades, worst_hops
    from mempool.store.reader import open_reader

    with closing(open_reader(db)) as connection:
        grades = list(family_grades(connection, router))
        names = {grade.router for grade in (grades or family_grades(connection))}
        worst = list(worst_hops(connection, router)) if causes else []
    if as_json:
        _print_json(grades, worst if causes else None)
    else:
        _print_tables(grades, worst, sorted(names))


def _print_json(grades: Sequence[FamilyGrade], worst: Sequence[WorstHop] | None) -> None:
    import msgspec

    shown = {"schema": SCHEMA, "grades": grades} | ({} if worst is None else {"worst": worst})
    typer.echo(msgspec.json.encode(shown).decode())


def _print_tables(grades: Sequence[FamilyGrade], worst: Sequence[WorstHop], routers: Sequence[str]) -> None:
    from mempool.cli.console import stdout_console
    from mempool.model.display import printable

    console = stdout_console()
    if not grades:
        yet = f"of that router; there are {', '.join(routers)}" if routers else "yet: a prediction is graded when its block comes"
        console.print(printable(f"nothing graded {yet}"), soft_wrap=True)
        return
    for line in _lines(grades):
        console.print(printable(line), soft_wrap=True)
    for hop in worst:
        console.print(_worst_line(hop), soft_wrap=True)


def _lines(grades: Sequence[FamilyGrade]) -> Iterator[str]:
    """A line for each router's name, under it one for each of its pool families; fits 80 columns."""
    yield _row("router / pools", ("hops", "exact", "moved", "other", "median", "max", "in order", "reverts"))
    for name, families in groupby(grades, key=lambda grade: grade.router):
        yield name
        for grade in families:
            exact, moved = grade.causes.get("exact", 0), grade.causes.get("moved_ahead", 0)
            cells = (
                *(f"{count:,}" for count in (grade.hops, exact, moved, grade.hops - exact - moved)),
                *(_percent(grade.median_relative_error), _percent(grade.max_relative_error)),
                f"{grade.in_block_order_exact:,}/{grade.in_block_order:,}",
                f"{grade.reverts_right}/{grade.reverts_missed}/{grade.reverts_false_alarm}",
            )
            yield _row(f"  {grade.family}", cells)
    yield "errors are relative to the prediction; reverts are right/missed/false alarms"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<15}" + "".join(f" {cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True))


def _worst_line(hop: WorstHop) -> str:
    from mempool.model.display import printable, short_address

    moved = f", moved by {', '.join(hop.moved_by[:3])}" if hop.moved_by else ""
    more = f" and {len(hop.moved_by) - 3} more" if len(hop.moved_by) > 3 else ""
    pool = f"{hop.protocol} {short_address(hop.pool)}" if hop.pool else hop.protocol
    return printable(f"{_percent(hop.relative_error):>9}  {hop.cause}  {hop.transaction_hash}  {pool}{moved}{more}")


def _percent(ratio: float | None) -> str:
    return "-" if ratio is None else format_percent(ratio)
