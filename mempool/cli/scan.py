"""`mempool scan`: arbitrage between order books, as it opens and closes."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mempool.cli.book_options import Server, TakerFees
from mempool.errors import UsageError

if TYPE_CHECKING:
    from mempool.cli.scan_lines import FindingPrinter
    from mempool.engine.books_live import LiveBooks
    from mempool.engine.scan import Scan
    from mempool.feeds.venue import News


def scan_command(
    exchange: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="An exchange; may be repeated. Default: all.")
    ] = None,
    pair: Annotated[
        list[str] | None,
        typer.Option("--pair", "--symbol", metavar="PAIR", help="What to follow; may be repeated. Default: ETH/USD."),
    ] = None,
    near_misses: Annotated[bool, typer.Option("--near-misses", help="Also print what was rejected, and why.")] = False,
    min_profit: Annotated[float, typer.Option(metavar="ETH", min=0.0, help="Print no finding below this profit.")] = 0.0,
    taker_fee: TakerFees = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line (schema mempool.scan/1).")] = False,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Scan the books of this capture instead of the exchanges.")
    ] = None,
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write all that is heard to this capture.")] = None,
    server: Server = "",
    seconds: Annotated[float, typer.Option("--for", metavar="SECONDS", min=0.0, help="End after so long; 0: never.")] = 0.0,
) -> None:
    """Print what opens between exchanges' order books: bought at one and sold at another, or round through three of one.

    Sizes are walked on both books, with each taker's fee and the rates between USD, USDT and USDC. A gap is printed when it
    opens and, at its best, when it has closed; with --json also when it has become a tenth better. What is no gain after fees,
    rests on a book that was silent, or did not last as long as messages may be apart is a near miss. Nothing is stored:
    `mempool run --exchange` does that, and holds the pools against the books too. ETH/USD unless told otherwise; three pairs
    of one exchange make a triangle.

    \b
    Examples:
      mempool scan --exchange kraken --exchange coinbase --taker-fee coinbase=0.25
      mempool scan --exchange kraken --pair ETH/USD --pair BTC/USD --pair ETH/BTC --near-misses
      mempool scan --replay today.capture.gz --json
    """
    from mempool.books.taker_fees import named_fees, taker_fees
    from mempool.cli.books_live import carry_out
    from mempool.cli.scan_lines import FindingPrinter
    from mempool.engine.books_live import BooksOptions
    from mempool.engine.desk import DeskOptions
    from mempool.engine.scan import live_scan, scan_capture
    from mempool.exchanges import EXCHANGES
    from mempool.feeds.bans import state_file
    from mempool.resources import load_taker_fees

    defaults = load_taker_fees()
    with closing(FindingPrinter(as_json=as_json, near_misses=near_misses)) as printer:
        if replay is not None:
            if exchange or pair or server or seconds or record is not None:
                raise UsageError(
                    "--replay scans all that its file holds: --exchange, --pair, --record, --server and --for are for live books"
                )
            terms = DeskOptions(named_fees(defaults, taker_fee or ()), min_profit)
            scan = scan_capture(replay, defaults, terms, printer.show)
            printer.sum_up(scan.counters)
            return
        terms = DeskOptions(taker_fees(defaults, taker_fee or ()), min_profit)
        options = BooksOptions(
            venues=tuple(exchange or EXCHANGES),
            pairs=tuple(pair or ("ETH/USD",)),
            server=server,
            record=record,
            bans=None if server else state_file(),
            fees=terms.fees,
        )
        books, scan = live_scan(options, terms, printer.show)
        code = carry_out(books, ScanStatus(scan, printer), seconds)
        scan.desk.end(scan.desk.now_ns)
        printer.sum_up(scan.counters)
        raise typer.Exit(code)


class ScanStatus:
    """The live line of a scan, as a printer of books."""

    def __init__(self, scan: Scan, printer: FindingPrinter) -> None:
        self._scan, self._printer = scan, printer

    def hear(self, venue: str, event: News) -> None:
        """The desk hears it."""

    def refresh(self, books: LiveBooks, now_ns: int) -> None:
        found, gaps = self._scan.counters, self._scan.desk.open_gaps
        priced = f"books {len(books.books.quotes)}/{len(books.rows)}  quotes {found.book_quotes:,}  open gaps {gaps:,}"
        self._printer.status(f"{priced}  arbitrages {found.arbitrages:,}  near misses {found.near_misses:,}")

    def remark(self, text: str) -> None:
        self._printer.remark(text)

    def frame(self) -> AbstractContextManager[object]:
        return nullcontext()
