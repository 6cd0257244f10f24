"""`scripts/devnet`: starts the node and its traffic, says how to watch it, and ends both on Ctrl-C."""

from __future__ import annotations

import argparse
import http.client
import signal
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType

from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.devnet import Devnet, ensure_state, running_devnet
from scripts._devnet.exchanges import ExchangesOptions, jolting, running_exchanges
from scripts._devnet.packages import DevnetError, unusable
from scripts._devnet.traffic import Sent, Traffic, with_arbitrageurs

EXAMPLES = """examples:
  scripts/devnet                                   blocks every 4 s, 4 transactions a second, until Ctrl-C
  scripts/devnet --rate 50 --block-time 1 --seconds 60
  scripts/devnet --seed 7 --ipc devnet.ipc         the same calls each time; also on a socket file
  scripts/devnet --exchanges                       with simulated exchanges whose prices follow the pools
"""
SUMMARY_SECONDS = 10


class Stopped(Exception):
    """A signal asked us to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class Stop:
    """The handler of both signals: it raises where it is called, and `check` once more.

    What is raised while Python closes a stream that nobody holds any more (every answer of a node is one) is lost without a word.
    """

    def __init__(self) -> None:
        self._number = 0

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        self._number = number
        raise Stopped(number)

    def check(self) -> None:
        if self._number:
            raise Stopped(self._number)


@dataclass
class Tally:
    """What was sent, for the line that is printed now and then."""

    started: float = field(default_factory=time.monotonic)
    by_group: Counter[str] = field(default_factory=Counter)

    def add(self, sent: Sent) -> None:
        self.by_group["replacements" if sent.replaces else sent.kind.group] += 1

    def line(self, block: int) -> str:
        sent = ", ".join(f"{count} {group}" for group, count in sorted(self.by_group.items()))
        return f"{time.monotonic() - self.started:6.0f} s  block {block}  sent {self.by_group.total()}: {sent}"


def main() -> int:
    options = parser().parse_args()
    stop = Stop()
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        run(options, stop)
    except Stopped as stopped:
        print(f"devnet: {stopped}, ended", file=sys.stderr)
        return stopped.exit_code
    except DevnetError as error:
        print(f"devnet: {error}", file=sys.stderr)
        return 3 if unusable() else 1
    except (OSError, http.client.HTTPException) as error:
        print(f"devnet: the node is gone: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="scripts/devnet",
        description="A local Ethereum node with the real Uniswap contracts at their mainnet addresses, and users trading on it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--port", type=int, default=8545, help="port on this machine for http and websocket (default 8545; 0: any)")
    made.add_argument("--ipc", type=Path, help="also listen on this socket file")
    made.add_argument("--rate", type=float, default=4, help="transactions a second (default 4)")
    made.add_argument("--seconds", type=float, default=0, help="end after so long (default: run until Ctrl-C)")
    made.add_argument("--seed", type=int, default=1, help="chooses the traffic (default 1)")
    made.add_argument("--block-time", type=float, default=4, help="seconds between blocks (default 4; mainnet has 12)")
    made.add_argument("--exchanges", action="store_true", help="also simulate five exchanges, priced against the pools")
    made.add_argument("--verbose", action="store_true", help="print every transaction")
    return made


def run(options: argparse.Namespace, stop: Stop) -> None:
    print("devnet: preparing the node and the contracts (a minute the first time)", file=sys.stderr)
    ensure_state()
    node = AnvilOptions(port=options.port, block_time=options.block_time, order="fees", ipc=options.ipc)
    with running_devnet(node) as devnet, ExitStack() as stack:
        server = ""
        if options.exchanges:
            server = stack.enter_context(running_exchanges(devnet.anvil, ExchangesOptions(jolting(), seed=options.seed)))
        print(welcome(devnet, server), flush=True)
        trade(devnet, options, stop)


def welcome(devnet: Devnet, server: str = "") -> str:
    """The commands to copy; `server` is where the simulated exchanges are, if they are."""
    command = Path(sys.executable).with_name("mempool")
    shown = command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command
    urls = [devnet.anvil.ws_url, *([str(devnet.anvil.ipc)] if devnet.anvil.ipc else [])]
    books = f" --exchange all --server {server}" if server else ""
    commands = [f"    {shown} run --rpc-url {url}{books}" for url in urls]
    heading = "devnet: chain 1 with Uniswap V2, V3, SwapRouter02 and Universal Router V1, V1.2, V2.0; watch it with"
    return "\n".join([heading, "", *commands, ""])


def trade(devnet: Devnet, options: argparse.Namespace, stop: Stop) -> None:
    """Send at the asked rate; what the node could not take in time is not made up for."""
    traffic, tally = Traffic(Random(options.seed), devnet), Tally()
    if options.exchanges:
        traffic.kinds = with_arbitrageurs(traffic.kinds)
    end = tally.started + options.seconds if options.seconds else float("inf")
    due = said = tally.started
    while time.monotonic() < end:
        sent = traffic.next()
        stop.check()
        tally.add(sent)
        if options.verbose:
            print(sent.hash, sent, flush=True)
        due = max(due + 1 / options.rate, time.monotonic() - 1)
        time.sleep(max(min(due, end) - time.monotonic(), 0))
        if time.monotonic() - said >= SUMMARY_SECONDS:
            said = time.monotonic()
            print(tally.line(devnet.block_number()), file=sys.stderr)
    print(tally.line(devnet.block_number()), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
