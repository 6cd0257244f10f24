"""`scripts/exchanges`: starts the simulated venues, says where they are, and ends on Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from mempool.errors import BadData, UsageError
from scripts._exchanges.dialects import DIALECTS
from scripts._exchanges.faults import Fault, FaultKind
from scripts._exchanges.listings import LISTINGS, Listing
from scripts._exchanges.recording import RecordedVenue, Recording, read_recording
from scripts._exchanges.server import ExchangeServer, exchange_server

EXAMPLES = """examples:
  scripts/exchanges --seed 1                          all five, until Ctrl-C
  scripts/exchanges --venues kraken okx --speed 10    two of them, ten times as many messages
  scripts/exchanges --fault okx:drop:5 --fault binance:ban:10:30    a lost message after 5 s; a ban of 30 s after 10 s
  scripts/exchanges --play kraken:FILE.txt.gz         real books: a recording of its frames, from the start for each client
"""


def main() -> int:
    options = parser().parse_args()
    try:
        return asyncio.run(serve(options))
    except OSError as error:
        print(f"exchanges: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="scripts/exchanges",
        description="Simulated exchanges on this machine: five venues' own protocols over one generated market.",
        epilog=EXAMPLES + f"\nfaults: {', '.join(FaultKind)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--port", type=int, default=0, help="port on this machine (default: any)")
    made.add_argument("--seed", type=int, default=1, help="chooses prices and books (default 1)")
    made.add_argument("--venues", nargs="+", choices=list(DIALECTS), default=list(DIALECTS), help="default: all")
    made.add_argument("--speed", type=float, default=1, help="this many times as many messages (default 1)")
    made.add_argument("--seconds", type=float, help="end after so long (default: run until Ctrl-C)")
    made.add_argument(
        "--fault", type=fault, action="append", default=[], metavar="VENUE:KIND:AFTER[:SECONDS]", help="may be given many times"
    )
    made.add_argument(
        "--play", type=recording, action="append", default=[], metavar="VENUE:FILE", help="instead of generated books"
    )
    return made


def recording(text: str) -> tuple[str, Recording]:
    """From `kraken:frames.txt.gz`."""
    venue, _, file = text.partition(":")
    if venue not in DIALECTS or not file:
        raise argparse.ArgumentTypeError(f"{text!r} is not VENUE:FILE, such as kraken:frames.txt.gz")
    try:
        return venue, read_recording(venue, Path(file))
    except (UsageError, BadData) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def fault(text: str) -> tuple[str, Fault]:
    """From `okx:delay:5:2.5`."""
    venue, _, rest = text.partition(":")
    kind, _, times = rest.partition(":")
    after, _, seconds = times.partition(":")
    if venue not in DIALECTS or kind not in list(FaultKind):
        raise argparse.ArgumentTypeError(f"{text!r} is not VENUE:KIND:AFTER[:SECONDS], such as okx:drop:5")
    return venue, Fault(FaultKind(kind), after_s=float(after or 0), seconds=float(seconds or 1))


async def serve(options: argparse.Namespace) -> int:
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, stopped, number)
    faults: dict[str, list[Fault]] = defaultdict(list)
    for venue, each in options.fault:
        faults[venue].append(each)
    listings: dict[str, Sequence[Listing] | Recording] = {
        venue: [replace(each, interval_ns=max(int(each.interval_ns / options.speed), 1)) for each in listed]
        for venue, listed in LISTINGS.items()
    }
    listings.update(options.play)
    async with exchange_server(*options.venues, seed=options.seed, faults=faults, listings=listings, port=options.port) as server:
        print(welcome(server, options.venues), flush=True)
        try:
            code = await asyncio.wait_for(stopped, options.seconds)
        except TimeoutError:
            return 0
    print(f"exchanges: {signal.Signals(code - 128).name}, ended", file=sys.stderr)
    return code


def stop(stopped: asyncio.Future[int], number: int) -> None:
    if not stopped.done():
        stopped.set_result(128 + number)


def welcome(server: ExchangeServer, venues: list[str]) -> str:
    lines = []
    for venue in venues:
        played = server.venues[venue]
        symbols = played.recording.name if isinstance(played, RecordedVenue) else ", ".join(played.books)
        rest = f"  REST {server.rest_url(venue)}" if DIALECTS[venue].rest is not None else ""
        lines.append(f"{venue:<9} {server.url(venue)}{DIALECTS[venue].path}  {symbols}{rest}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
