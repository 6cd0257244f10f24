"""`mempool books`: the order books of exchanges, each held to its venue's own proof; `gaps` is a command below it."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from mempool.cli.book_options import Server, TakerFees
from mempool.errors import BadData, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mempool.engine.books_live import BooksOptions
    from mempool.engine.books_replay import OnQuote
    from mempool.exchanges import Exchange
    from mempool.exchanges.session import ExchangeSession
    from mempool.model.book import Instrument, Quote

SMALLEST_SIZE, LARGEST_SIZE = Decimal("1e-18"), Decimal("1e15")


def books_command(
    context: typer.Context,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Frames as recorded, a line each, with or without a stamp before it.")
    ] = None,
    exchange: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An exchange, or that of the recording; may be repeated. Default: all."),
    ] = None,
    symbol: Annotated[
        list[str] | None,
        typer.Option("--pair", "--symbol", metavar="PAIR", help="What to follow; may be repeated. Default: ETH/USD."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object a line (schema mempool.quotes/1); of a recording one document (mempool.books/1).",
        ),
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="End when every book is there, or after 15 s, and print them.")] = False,
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write all that is heard to this capture.")] = None,
    taker_fee: TakerFees = None,
    size: Annotated[
        str,
        typer.Option(
            metavar="AMOUNT", help="Also what selling and buying so much of each pair's base asset (ETH of ETH/USD) comes to."
        ),
    ] = "",
    server: Server = "",
    bbo: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of a recording: write every change of the best quote, one JSON object a line (schema mempool.bbo/1).",
        ),
    ] = None,
) -> None:
    """Follow exchanges' order books, each proven by the exchange's own rules at every message, and the best over them.

    ETH/USD unless told otherwise; where an exchange trades no USD, the pair in USDT, converted at what USDT costs. A book that
    cannot be trusted now shows no price but the reason. No account is needed, and nothing is sent but subscriptions and
    requests for snapshots.

    The best over the exchanges is told as they quote it and after takers' fees, crossed and locked markets with it. With --size
    all books are walked, level by level and with fees, and the average price of a sale and of a purchase is told, with how much
    goes where. ≥ and ≤ (in JSON "certain": false) stand before what may be better, since a book goes on behind the levels that
    its exchange lists. Within 10 basis points of the mid, fees apart, "depth" in JSON, and a line of a wide table, is what all
    of them offer, as far as the legs between dollars carry it.

    Of the objects of --json those of type "best" hold numbers as decimal texts, rounded at the 18th decimal and else exact.

    With --replay, rebuild one exchange's books from recorded frames instead: lines of `<recv_ns> <frame>`, or bare frames where
    a line starts with {, compressed with gzip or not. A REST snapshot may stand among the frames.

    \b
    Examples:
      mempool books --exchange kraken --exchange coinbase
      mempool books --pair BTC/USD --json
      mempool books --size 25 --taker-fee binance=0.075
      mempool books --replay kraken.txt.gz --exchange kraken --json
    """
    if context.invoked_subcommand is not None:
        refuse_options(context)
        return
    if replay is None:
        from mempool.cli.books_live import live_books

        if bbo is not None:
            raise UsageError("--bbo is for a recording: --replay FILE")
        options = books_options(exchange, symbol, taker_fee, server, record)
        raise typer.Exit(live_books(options, amount(size), as_json=as_json, once=once))
    if symbol or taker_fee or size or server or record is not None or once:
        raise UsageError(
            "--replay plays all that its file holds: "
            "--pair, --taker-fee, --size, --server, --record and --once are for live books"
        )
    replay_command(replay, exchange or [], bbo, as_json=as_json)


def refuse_options(context: typer.Context) -> None:
    """Before a command of the group they would be passed over. Raises `UsageError`."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{parameter.opts[0]} stands before {context.invoked_subcommand!r}: options of it come after it")


def books_options(
    exchange: list[str] | None, symbol: list[str] | None, taker_fee: list[str] | None, server: str, record: Path | None
) -> BooksOptions:
    """What to follow, where, and at which fees. Raises `UsageError`, and `ConfigError` on the table of fees."""
    from mempool.books.taker_fees import taker_fees
    from mempool.engine.books_live import BooksOptions
    from mempool.feeds.bans import state_file
    from mempool.resources import load_taker_fees

    fees = taker_fees(load_taker_fees(), taker_fee or ())
    wanted = BooksOptions(server=server, record=record, bans=None if server else state_file(), fees=fees)
    if exchange:
        wanted = replace(wanted, venues=tuple(exchange))
    if symbol:
        wanted = replace(wanted, pairs=tuple(symbol))
    return wanted


def amount(text: str) -> Fraction | None:
    """What `--size` names; None where it names nothing. Raises `UsageError`."""
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise UsageError(f"--size {text!r} is no amount: write a number such as 2.5") from None
    if not number.is_finite() or not SMALLEST_SIZE <= number < LARGEST_SIZE:
        raise UsageError(f"--size {text!r} is no amount: from {SMALLEST_SIZE:f} to less than {LARGEST_SIZE:,f}")
    return Fraction(number)


def replay_command(file: Path, exchange: list[str], bbo: Path | None, *, as_json: bool) -> None:
    """A recording of one exchange's frames."""
    import orjson

    from mempool.engine.books_followed import venue_of
    from mempool.engine.books_replay import replay_frames, report
    from mempool.feeds.frame_file import read_frames

    if len(exchange) > 1:
        raise UsageError("a recording is of one exchange: give --exchange once")
    venue = venue_of(exchange[0] if exchange else "")
    broken: list[BadData] = []
    with quote_writer(bbo, venue) as on_quote:
        frames = until_broken(read_frames(file, venue.limits.max_frame_bytes), broken)
        session = replay_frames(venue, frames, on_quote)
    if as_json:
        typer.echo(orjson.dumps(report(session)).decode())
    else:
        for line in summary(session):
            typer.echo(line)
    for error in broken:
        raise error
    if not session.counts.snapshots and not session.counts.updates:
        typer.echo(f"{file} has no frame of an order book of {venue.label}: are the file and --exchange right?", err=True)


def until_broken(frames: Iterable[tuple[int, bytes]], broken: list[BadData]) -> Iterator[tuple[int, bytes]]:
    """Those that can be read, since a recorder that was killed leaves a file cut off; then `broken` holds the error."""
    try:
        yield from frames
    except BadData as error:
        broken.append(error)


@contextmanager
def quote_writer(path: Path | None, exchange: Exchange) -> Iterator[OnQuote]:
    """What takes the quotes: a writer of `path`, one JSON object a line, or nothing. Raises `StoreError`."""
    import orjson

    from mempool.engine.books_replay import quote_texts

    if path is None:
        yield lambda instrument, quote, recv_ns: None
        return

    def write(instrument: Instrument, quote: Quote | None, recv_ns: int) -> None:
        texts = quote_texts(quote, trims_zeros=exchange.trims_zeros)
        proof = quote.proof if quote is not None else None
        line = {"schema": "mempool.bbo/1", "recv_ns": recv_ns, "symbol": instrument.symbol, **texts, "proof": proof}
        stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    try:
        with path.open("wb") as stream:
            yield write
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}; name another file") from error


def summary(session: ExchangeSession) -> Iterator[str]:
    """The counts in words, then one line a book."""
    from mempool.engine.books_replay import quote_texts

    counts = session.counts
    yield (
        f"{counts.frames:,} frames: {counts.snapshots:,} snapshots and {counts.updates:,} updates, {counts.verified:,} verified, "
        f"{counts.mismatches:,} mismatches, {counts.gaps:,} gaps, {counts.resyncs:,} resyncs, {counts.malformed:,} malformed"
    )
    if counts.comparisons:
        yield f"the exchange's own best quote agreed in {counts.matches:,} of {counts.comparisons:,} comparisons"
    for keeper in session.keepers.values():
        state, quote = keeper.state, keeper.quote()
        texts = quote_texts(quote, trims_zeros=session.exchange.trims_zeros)
        shown = f"bid {texts['bid']} x {texts['bid_size']}, ask {texts['ask']} x {texts['ask_size']}" if quote else "no quote"
        never = "" if keeper.has_synced else "never synced: "
        reason = f" ({never}{state.reason})" if state.reason else ""
        yield f"{keeper.instrument.pair} on {session.exchange.label}: {state.connection}, {state.proof}{reason}; {shown}"
