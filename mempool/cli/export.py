"""`mempool export`: the tables of a database, or the entries of a capture, as Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mempool.errors import CaptureError, StoreError, UsageError

if TYPE_CHECKING:
    from mempool.store.parquet import Table

DATABASE_MAGIC = b"SQLite format 3\0"
ENTRIES = "entries"
"""The one table of a capture."""


def export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A database of `mempool run`, or a capture.")],
    to: Annotated[Path, typer.Option("--to", metavar="PLACE", help="A directory; or a file named ….parquet, for one table.")],
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="NAME", help="Only this table; may be repeated. Default: all.")
    ] = None,
) -> None:
    """Write the tables of a database, or the entries of a capture, as Parquet files: one a table, compressed with zstd.

    Amounts stay the exact text that they are, times are in nanoseconds, and columns are named as in the database; its tables are
    written as of one moment, also while a run writes on. The entries of a capture are all that was heard and asked for: recv_ns,
    source, kind, request_id, payload. No file is overwritten. It needs DuckDB: pip install duckdb

    \b
    Examples:
      mempool export mempool.sqlite --to parquet/
      mempool export mempool.sqlite --to quotes.parquet --table quotes
      mempool export today.capture.gz --to today.parquet
    """
    from mempool.store.parquet import check_parquet

    check_parquet()
    opened = database_tables if is_database(file) else capture_tables
    with opened(file, table or []) as tables:
        write_tables(tables, to)


def is_database(file: Path) -> bool:
    """By its first bytes. Raises `UsageError` where they cannot be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(len(DATABASE_MAGIC)) == DATABASE_MAGIC
    except OSError as problem:
        raise UsageError(f"{file}: {problem.strerror}: name a database or a capture") from problem


@contextmanager
def database_tables(file: Path, names: Sequence[str]) -> Iterator[Sequence[Table]]:
    from mempool.store.export import export_tables
    from mempool.store.reader import open_reader

    with closing(open_reader(file)) as connection:
        yield export_tables(connection, file, names)


@contextmanager
def capture_tables(file: Path, names: Sequence[str]) -> Iterator[Sequence[Table]]:
    """Its entries up to where it can be read; raises `CaptureError` after they were written, where that is not its end."""
    from mempool.feeds.capture import CaptureReader
    from mempool.feeds.capture_rows import COLUMNS, CaptureRows, header_texts
    from mempool.store.parquet import Table

    for name in names:
        if name != ENTRIES:
            raise UsageError(f"there is no table {name!r}: a capture has one, {ENTRIES}")
    try:
        reader = CaptureReader(str(file))
    except CaptureError as problem:
        raise CaptureError(problem.path, problem.line, f"it is no database, and as a capture: {problem.reason}") from None
    with reader:
        rows = CaptureRows(reader)
        yield [Table(ENTRIES, COLUMNS, rows, header_texts(reader.header))]
    if rows.problem is not None:
        raise CaptureError(rows.problem.path, rows.problem.line, f"{rows.problem.reason}; what stands before it was written")


def write_tables(tables: Sequence[Table], to: Path) -> None:
    """Each into its file; nothing is written where one of them exists already."""
    from mempool.store.parquet import refuse_existing, write_parquet

    paths = {table.name: path_of(table, tables, to) for table in tables}
    for path in paths.values():
        refuse_existing(path)
    try:
        for path in paths.values():
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreError(f"{to} cannot be written: {problem.strerror}; name another place") from problem
    for table in tables:
        count = write_parquet(table, paths[table.name])
        typer.echo(f"{paths[table.name]}: {count:,} rows", err=True)


def path_of(table: Table, tables: Sequence[Table], to: Path) -> Path:
    """`to` itself where it names a Parquet file, else a file in it. Raises `UsageError` on one file for several tables."""
    if to.suffix != ".parquet" or to.is_dir():
        return to / f"{table.name}.parquet"
    if len(tables) > 1:
        raise UsageError(f"--to {to} is one file for {len(tables)} tables: name a directory, or a --table")
    return to
