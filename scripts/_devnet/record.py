"""`scripts/record-capture`: records what a run hears from a trading devnet, and refuses a capture that shows too little."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.devnet import Devnet, running_devnet
from scripts._devnet.packages import DevnetError
from scripts._devnet.traffic import Traffic

BUNDLED = Path("tests/fixtures/devnet.capture.gz")
SEED = 20
BLOCKS, PER_BLOCK, BLOCK_SECONDS = 36, 12, 1.5
START_SECONDS, END_SECONDS = 5.0, 30.0
MAX_BYTES = 2_000_000
RUN = (sys.executable, "-c", "from mempool.cli.main import main; main()", "run")
ROUTERS_USED = """SELECT count(DISTINCT t.router) FROM predictions p
    JOIN intents i ON i.id = p.intent_id JOIN transactions t ON t.id = i.transaction_id"""
LEAST = {
    "swaps": (300, "SELECT count(*) FROM predictions"),
    "routers": (6, ROUTERS_USED),
    "sandwich exposures": (5, "SELECT count(*) FROM opportunities WHERE kind = 'sandwich_exposure' AND bound <> 'state_unknown'"),
    "backruns": (3, "SELECT count(*) FROM opportunities WHERE kind = 'backrun' AND bound <> 'state_unknown'"),
    "graded hops": (200, "SELECT count(*) FROM outcomes"),
    "reverts foreseen": (1, "SELECT count(*) FROM outcomes WHERE revert = 'right'"),
    "replacements": (1, "SELECT count(*) FROM transactions WHERE state = 'replaced'"),
    "wrong predictions with their cause": (1, "SELECT count(*) FROM outcomes WHERE cause = 'moved_ahead' AND moved_by <> '[]'"),
}
"""What the capture must show, and how a run's database counts it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/record-capture", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=BUNDLED)
    path: Path = parser.parse_args().file
    try:
        record(path)
    except (DevnetError, OSError) as error:
        print(f"record-capture: {error}", file=sys.stderr)
        return 1
    return 0


def record(path: Path) -> None:
    """Record to a file beside `path`, which takes its place only when the capture shows enough."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        fresh, database = Path(folder, path.name), Path(folder, "run.sqlite")
        with running_devnet(AnvilOptions(order="fees")) as devnet:
            listen(devnet, fresh, database)
        shown = counted(database)
        check(shown, fresh.stat().st_size)
        fresh.replace(path)
    print(
        f"record-capture: {path}, {path.stat().st_size:,} bytes: " + ", ".join(f"{count} {what}" for what, count in shown.items())
    )


def listen(devnet: Devnet, capture: Path, database: Path) -> None:
    """Run `mempool run` on the devnet while it trades; raises `DevnetError` when it ends otherwise than by our signal."""
    command = [*RUN, "--rpc-url", devnet.anvil.ws_url, "--db", str(database), "--record", str(capture)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        try:
            time.sleep(START_SECONDS)
            trade(devnet)
        finally:
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=END_SECONDS)
    if running.returncode != 128 + signal.SIGINT:
        raise DevnetError(f"`mempool run` ended with {running.returncode}: {said.strip()[-1000:]}")


def trade(devnet: Devnet) -> None:
    """Blocks at an even pace, the transactions spread over the time before each."""
    traffic = Traffic(Random(SEED), devnet)
    due = time.monotonic()
    for _ in range(BLOCKS):
        for _ in range(PER_BLOCK):
            traffic.next()
            due += BLOCK_SECONDS / PER_BLOCK
            time.sleep(max(due - time.monotonic(), 0))
        devnet.mine()
    time.sleep(2 * BLOCK_SECONDS)


def counted(database: Path) -> dict[str, int]:
    connection = sqlite3.connect(database)
    try:
        return {what: connection.execute(query).fetchone()[0] for what, (_, query) in LEAST.items()}
    finally:
        connection.close()


def check(shown: dict[str, int], size: int) -> None:
    lacking = [f"{shown[what]} of {least} {what}" for what, (least, _) in LEAST.items() if shown[what] < least]
    if size > MAX_BYTES:
        lacking.append(f"{size:,} bytes of at most {MAX_BYTES:,}")
    if lacking:
        raise DevnetError("the capture is not good enough, nothing was replaced: " + ", ".join(lacking))


if __name__ == "__main__":
    sys.exit(main())
