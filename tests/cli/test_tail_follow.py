"""`mempool tail -f` on a database that goes away and comes back: it waits for it, also while the new one is being made."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from tests.store.examples import database, hash_of, store_records, swap_records

TAIL = (sys.executable, "-m", "mempool.cli.main", "tail")


def test_database_that_has_no_schema_yet_is_waited_for(tmp_path: Path) -> None:
    path = database(tmp_path / "mempool.sqlite", swap_records([1]))
    pipe = subprocess.PIPE
    with subprocess.Popen((*TAIL, "--db", path, "-f", "--json", "--kind", "swap"), stdout=pipe, stderr=pipe, text=True) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        assert json.loads(tail.stdout.readline())["hash"] == hash_of(1)
        (tmp_path / "empty").touch()
        (tmp_path / "empty").rename(path)  # so stands a database whose schema is not committed yet
        assert tail.stderr.readline() == f"{path} is gone, waiting for it\n"
        asyncio.run(store_records(path, swap_records([3])))
        assert json.loads(tail.stdout.readline())["hash"] == hash_of(3)
        tail.terminate()
        assert (tail.wait(120), tail.stderr.read()) == (143, f"{path} is back\n")
