"""`scripts/record-capture`: records what a run hears from a trading devnet and from simulated exchanges beside it, and refuses a
capture that shows too little.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from random import Random

from msgspec.structs import replace

from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.devnet import Devnet, running_devnet
from scripts._devnet.exchanges import ExchangesOptions, jolting, running_exchanges
from scripts._devnet.packages import DevnetError
from scripts._devnet.traffic import Traffic, with_arbitrageurs
from scripts._exchanges.faults import Fault, FaultKind
from scripts._exchanges.listings import LISTINGS, MILLISECOND_NS, Listing
from scripts._exchanges.market import STABLECOINS

BUNDLED = Path("tests/fixtures/devnet.capture.gz")
SEED = 20
BLOCKS, PER_BLOCK, BLOCK_SECONDS = 36, 12, 1.5
BOOK_LEVELS = 60
BOOK_NS, RATE_NS = 300 * MILLISECOND_NS, 900 * MILLISECOND_NS
"""Between two changes of a book: few, since all of them are in the capture."""
LOST = ("binance", Fault(FaultKind.DROP, after_s=40, symbol="ETHUSDT"))
"""A message that goes missing, so that the capture shows how a book notices and recovers."""
START_SECONDS, READY_SECONDS, END_SECONDS = 60.0, 3.0, 30.0
MAX_BYTES = 2_000_000
RUN = (sys.executable, "-c", "from mempool.cli.main import main; main()", "run")
ROUTERS_USED = """SELECT count(DISTINCT t.router) FROM predictions p
    JOIN intents i ON i.id = p.intent_id JOIN transactions t ON t.id = i.transaction_id"""
ARBITRAGES_OF = "SELECT count(*) FROM arbitrages WHERE"
LEAST = {
    "swaps": (300, "SELECT count(*) FROM predictions"),
    "routers": (6, ROUTERS_USED),
    "sandwich exposures": (5, "SELECT count(*) FROM opportunities WHERE kind = 'sandwich_exposure' AND bound <> 'state_unknown'"),
    "backruns": (3, "SELECT count(*) FROM opportunities WHERE kind = 'backrun' AND bound <> 'state_unknown'"),
    "graded hops": (200, "SELECT count(*) FROM outcomes"),
    "reverts foreseen": (1, "SELECT count(*) FROM outcomes WHERE revert = 'right'"),
    "replacements": (1, "SELECT count(*) FROM transactions WHERE state = 'replaced'"),
    "wrong predictions with their cause": (1, "SELECT count(*) FROM outcomes WHERE cause = 'moved_ahead' AND moved_by <> '[]'"),
    "CEX-DEX findings": (3, f"{ARBITRAGES_OF} kind = 'cex_dex' AND rejection = ''"),
    "cross-exchange findings": (2, f"{ARBITRAGES_OF} kind = 'cross_exchange' AND rejection = ''"),
    "near misses": (3, f"{ARBITRAGES_OF} rejection <> ''"),
    "sampled quotes": (50, "SELECT count(*) FROM quotes"),
    "gaps closed": (1, "SELECT count(*) FROM book_gaps WHERE kind = 'gap' AND to_ns > from_ns"),
}
"""What the capture must show, and how a run's database counts it."""
STRANGE = "outcomes for no proven cause"
UNEXPLAINED = "SELECT count(*) FROM outcomes WHERE cause = 'unexplained'"
"""None of them: the run has heard every transaction from the first one on."""
FOLLOWED = "SELECT count(DISTINCT venue) FROM quotes"


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
        with running_devnet(AnvilOptions(order="fees")) as devnet, running_exchanges(devnet.anvil, exchanges()) as server:
            listen(devnet, server, fresh, database)
        shown = counted(database)
        check(shown, fresh.stat().st_size)
        fresh.replace(path)
    print(
        f"record-capture: {path}, {path.stat().st_size:,} bytes: " + ", ".join(f"{count} {what}" for what, count in shown.items())
    )


def exchanges() -> ExchangesOptions:
    """Books of ether and of the dollars that it is traded in."""
    venue, fault = LOST
    listings = {venue: [slow(each) for each in listed if each.base != "BTC"] for venue, listed in LISTINGS.items()}
    return ExchangesOptions(jolting(listings), {venue: [fault]}, SEED)


def slow(listing: Listing) -> Listing:
    if listing.base in STABLECOINS:
        return replace(listing, interval_ns=RATE_NS)
    return replace(listing, interval_ns=BOOK_NS, levels=BOOK_LEVELS)


def listen(devnet: Devnet, server: str, capture: Path, database: Path) -> None:
    """Run `mempool run` on both while users trade; raises `DevnetError` when it ends otherwise than by our signal."""
    command = [*RUN, "--rpc-url", devnet.anvil.ws_url, "--exchange", "all", "--server", server]
    command += ["--db", str(database), "--record", str(capture)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        try:
            if await_quotes(running, database):
                trade(devnet)
        finally:
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=END_SECONDS)
    if running.returncode != 128 + signal.SIGINT:
        raise DevnetError(f"`mempool run` ended with {running.returncode}: {said.strip()[-1000:]}")


def await_quotes(running: subprocess.Popen[str], database: Path) -> bool:
    """Wait until the run follows every venue; False where it has ended. Raises `DevnetError` when it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while running.poll() is None:
        if database.exists() and followed(database) == len(LISTINGS):
            time.sleep(READY_SECONDS)
            return True
        if time.monotonic() > deadline:
            raise DevnetError(f"`mempool run` did not follow all exchanges within {START_SECONDS:.0f} s")
        time.sleep(0.2)
    return False


def followed(database: Path) -> int:
    """The number of venues with a quote; 0 while the database is being made."""
    with closing(sqlite3.connect(database)) as connection, suppress(sqlite3.OperationalError):
        return int(connection.execute(FOLLOWED).fetchone()[0])
    return 0


def trade(devnet: Devnet) -> None:
    """Blocks at an even pace, the transactions spread over the time before each."""
    traffic = Traffic(Random(SEED), devnet)
    traffic.kinds = with_arbitrageurs(traffic.kinds)
    due = time.monotonic()
    for _ in range(BLOCKS):
        for _ in range(PER_BLOCK):
            traffic.next()
            due += BLOCK_SECONDS / PER_BLOCK
            time.sleep(max(due - time.monotonic(), 0))
        devnet.mine()
    time.sleep(2 * BLOCK_SECONDS)


def counted(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as connection:
        queries = {what: query for what, (_, query) in LEAST.items()} | {STRANGE: UNEXPLAINED}
        return {what: connection.execute(query).fetchone()[0] for what, query in queries.items()}


def check(shown: dict[str, int], size: int) -> None:
    lacking = [f"{shown[what]} of {least} {what}" for what, (least, _) in LEAST.items() if shown[what] < least]
    if shown[STRANGE]:
        lacking.append(f"{shown[STRANGE]} {STRANGE}, which must be none")
    if size > MAX_BYTES:
        lacking.append(f"{size:,} bytes of at most {MAX_BYTES:,}")
    if lacking:
        raise DevnetError("the capture is not good enough, nothing was replaced: " + ", ".join(lacking))


if __name__ == "__main__":
    sys.exit(main())
