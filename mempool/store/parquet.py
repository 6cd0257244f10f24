"""Writes tables as Parquet files, in memory that does not grow with them; DuckDB, an extra, is imported when one is written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import orjson
from msgspec import Struct

from mempool.errors import ConfigError, StoreError
from mempool.store.columns import Value

BUFFER_BYTES = 1_048_576
ROW_GROUP = "32MB"
"""Of a row group before compression: what DuckDB holds at once, several times over. 300 MiB in all, whatever the table."""
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,  # with one thread rows stay in their order by themselves
    "preserve_insertion_order": False,  # only so does DuckDB limit a row group by its bytes
    "autoinstall_known_extensions": False,  # nothing is fetched from anywhere
    "autoload_known_extensions": False,
}


class Table(Struct, frozen=True):
    """Rows to write: `columns` are names and DuckDB's types, `about` goes into the file as key and value."""

    name: str
    columns: Mapping[str, str]
    rows: Iterable[Sequence[Value]]
    about: Mapping[str, str]


def check_parquet() -> None:
    """Raises `ConfigError` with the way to get it where DuckDB is not installed."""
    if find_spec("duckdb") is None:
        raise ConfigError("Parquet files are written by DuckDB, which is not installed: pip install duckdb")


def write_parquet(table: Table, path: Path) -> int:
    """Write a table to a new file, compressed with zstd; it stands there whole or not at all. Returns how many rows it has.

    The rows wait beside it as lines of JSON, in a file without a name, so that the disk needs room for both.
    Raises `StoreError` where the file exists or cannot be written, and what the rows raise.
    """
    partial = path.with_name(f".{path.name}.part")
    refuse_existing(path)
    try:
        with TemporaryFile(dir=path.parent, buffering=BUFFER_BYTES) as lines:
            count, longest = _write_lines(table, lines)
            _copy(table, f"/dev/fd/{lines.fileno()}", longest, partial)
        partial.rename(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}; name another place") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def refuse_existing(path: Path) -> None:
    """Raises `StoreError` where a file stands there already."""
    if path.exists():
        raise StoreError(f"{path} exists already and is not overwritten: name another place, or remove it")


def _write_lines(table: Table, lines: IO[bytes]) -> tuple[int, int]:
    """How many there are, and the length of the longest."""
    names = list(table.columns)
    count = longest = 0
    for row in table.rows:
        line = orjson.dumps(dict(zip(names, map(_json_value, row), strict=True)), option=orjson.OPT_APPEND_NEWLINE)
        lines.write(line)
        count, longest = count + 1, max(longest, len(line))
    lines.flush()
    return count, longest


def _copy(table: Table, lines: str, longest: int, path: Path) -> None:
    import duckdb

    options = {
        "format": "'newline_delimited'",
        "columns": _map(table.columns),
        "maximum_object_size": str(longest + BUFFER_BYTES),
    }
    read = f"read_json('{lines}', {', '.join(f'{name} = {value}' for name, value in options.items())})"
    written = f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES '{ROW_GROUP}', KV_METADATA {_map(table.about)})"
    copy = " ".join(("COPY (FROM", read, ") TO", _quoted(str(path.absolute())), written))
    try:
        # On a thread of its own, since DuckDB turns a signal that it hears itself into an error of its own.
        with duckdb.connect(config=CONFIG) as connection, ThreadPoolExecutor(1) as worker, ExitStack() as ending:
            ending.callback(connection.interrupt)
            worker.submit(connection.execute, copy).result()
    except duckdb.Error as error:
        raise StoreError(f"{path} cannot be written: {str(error).splitlines()[0]}") from error


def _map(texts: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{_quoted(name)}: {_quoted(text)}' for name, text in texts.items())}}}"


def _json_value(value: Value) -> Value:
    """JSON has no number for infinity; DuckDB reads the word as one."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
