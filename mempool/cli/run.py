"""`mempool run`: watch a node until told to stop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mempool.cli.book_options import Server, TakerFees
from mempool.cli.status_line import StatusLine
from mempool.errors import ConfigError, UsageError
from mempool.model.display import display

if TYPE_CHECKING:
    from mempool.books.money import FeesPips
    from mempool.engine.books_live import BooksOptions
    from mempool.engine.run import LiveRun, RunOptions, Status
    from mempool.engine.tally import Tally
    from mempool.feeds.endpoint import Endpoint


def run_command(
    rpc_url: Annotated[
        list[str] | None,
        typer.Option(
            "--rpc-url",
            metavar="URL",
            help="A node: ws://, wss://, http://, https:// or an IPC path; may be given several times. Default: ETH_RPC_URL.",
        ),
    ] = None,
    db: Annotated[Path, typer.Option(metavar="FILE", help="The SQLite file.")] = Path("mempool.sqlite"),
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write all that is heard to this capture.")] = None,
    keep: Annotated[
        str, typer.Option(metavar="TIME", help="Delete rows that are older: 90s, 15m, 12h, 7d. Default: keep all.")
    ] = "",
    min_profit: Annotated[
        float, typer.Option(metavar="ETH", min=0.0, help="Store no finding below this profit; at 0 losses are stored too.")
    ] = 0.0,
    chain: Annotated[str, typer.Option(metavar="NAME", help="The chain's tables.")] = "ethereum",
    exchange: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Also follow this exchange's order books, or all; may be repeated. Default: none."),
    ] = None,
    pair: Annotated[
        list[str] | None,
        typer.Option("--pair", "--symbol", metavar="PAIR", help="What to follow there; may be repeated. Default: ETH/USD."),
    ] = None,
    server: Server = "",
    taker_fee: TakerFees = None,
) -> None:
    """Watch a node's pending transactions, predict every swap, and grade each prediction when its block arrives.

    With --exchange the order books of exchanges are followed in the same engine: what a pending swap does to a pool is held
    against them, and they against each other. Without a node only the books are watched.

    Nothing is signed and nothing is sent but read-only requests. Ctrl-C ends it; what was seen is stored first.

    \b
    Examples:
      ETH_RPC_URL=wss://host/key mempool run --db eth.sqlite
      mempool run --rpc-url /data/geth.ipc --record today.capture.gz
      mempool run --rpc-url ws://localhost:8546 --exchange kraken --exchange coinbase
    """
    from mempool.books.taker_fees import taker_fees
    from mempool.cli.durations import keep_ns
    from mempool.cli.summary import print_summary
    from mempool.engine.core import EngineOptions
    from mempool.engine.desk import DeskOptions
    from mempool.engine.run import RunOptions
    from mempool.resources import load_tables, load_taker_fees
    from mempool.store.writer import StoreOptions

    if not exchange and (pair or server or taker_fee):
        raise UsageError("--pair, --server and --taker-fee are about order books: name an --exchange, or all")
    if not rpc_url and not exchange:
        raise ConfigError("no node to listen to: set ETH_RPC_URL, or give --rpc-url ws://…, wss://…, http://… or an IPC path")
    fees = taker_fees(load_taker_fees(), taker_fee or ())
    options = RunOptions(
        endpoints=endpoints_of(rpc_url or ()),
        tables=load_tables(chain),
        database=db,
        engine=EngineOptions(min_profit_eth=min_profit),
        store=StoreOptions(keep_ns=keep_ns(keep)),
        record=record,
        books=books_options(exchange, pair, server, fees) if exchange else None,
        desk=DeskOptions(fees, min_profit),
    )
    code, tally = watch(options)
    print_summary(tally, db)
    raise typer.Exit(code)


def endpoints_of(urls: Sequence[str]) -> list[Endpoint]:
    """The nodes; warns of what is not encrypted. Raises `ConfigError`, which never repeats a URL."""
    from mempool.feeds.endpoint import Endpoint

    endpoints = [Endpoint.parse(url) for url in urls]
    for endpoint in endpoints:
        if endpoint.is_plain_and_remote:
            warn(f"{endpoint} is not encrypted: whoever is on the way can change what is heard; use wss:// or https://")
    return endpoints


def watch(options: RunOptions) -> tuple[int, Tally]:
    """Listen, with the live line on stderr, until told to stop. Returns the exit code."""
    from mempool.engine.run import LiveRun

    line = StatusLine()
    live = LiveRun(options, lambda status: line.show(status_text(status)), line.remark)
    venues = options.books.venues if options.books is not None else ()
    line.begin(f"connecting to {', '.join([*map(str, options.endpoints), *venues])} …")
    try:
        return carry_out(live)
    finally:
        line.end()


def books_options(exchange: list[str], pair: list[str] | None, server: str, fees: FeesPips) -> BooksOptions:
    """Which order books to follow, and the legs between dollars, since pools trade in USDC and USDT."""
    from mempool.engine.books_live import BooksOptions
    from mempool.feeds.bans import state_file

    return BooksOptions(
        venues=tuple(exchange),
        pairs=tuple(pair or ("ETH/USD",)),
        server=server,
        bans=None if server else state_file(),
        fees=fees,
        with_all_legs=True,
    )


def warn(text: str) -> None:
    typer.echo(f"warning: {text}", err=True)


def carry_out(live: LiveRun) -> tuple[int, Tally]:
    """Run until SIGINT or SIGTERM; the first drains, a second ends at once. Returns the exit code."""
    from mempool.cli.event_loop import event_loop_run
    from mempool.cli.signals import end_code, heed_signals

    async def run() -> tuple[int, Tally]:
        received = heed_signals(live.stop.set)
        tally = await live.run()
        return end_code(received), tally

    return event_loop_run(run())


def status_text(status: Status) -> str:
    """`seen 1,204  swaps 96  simulated 95  waiting 1  dropped 0  head 19,932,703, 4 s ago  graded 80  findings 7`."""
    counters = status.counters
    dropped = counters.malformed_messages + counters.waiting_dropped + counters.store_dropped
    head = "no head yet" if status.head_number is None else f"head {status.head_number:,}, {status.head_age_seconds:.0f} s ago"
    books = "" if status.books is None else f"books {status.books[0]}/{status.books[1]}  arbitrages {counters.arbitrages:,}  "
    trouble = f"NOT STORING: {display(status.trouble, 200)}  " if status.trouble else ""
    return (
        f"{trouble}seen {counters.heard:,}  swaps {counters.swaps:,}  simulated {counters.simulated:,}  "
        f"waiting {status.waiting:,}  dropped {dropped:,}  {head}  {books}"
        f"graded {counters.graded:,}  findings {counters.opportunities:,}"
    )
