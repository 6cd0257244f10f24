"""`mempool books`: the order books of exchanges, each held to its venue's own proof."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mempool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mempool.engine.books_replay import OnQuote
    from mempool.exchanges import Exchange
    from mempool.exchanges.session import ExchangeSession
    from mempool.model.book import Instrument, Quote


def books_command(
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Frames as recorded, a line each, with or without a stamp before it.")
    ] = None,
    exchange: Annotated[str, typer.Option(metavar="NAME", help="The exchange whose frames they are.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one document as the last line.")] = False,
    bbo: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every change of the best quote there, as JSON.")] = None,
) -> None:
    """Rebuild an exchange's order book from recorded frames, and prove every message by the exchange's own rules.

    FILE holds lines of `<recv_ns> <frame>`, or bare frames where a line starts with {, compressed with gzip or not. A REST
    snapshot may stand among the frames.

    \b
    Example:
      mempool books --replay kraken.txt.gz --exchange kraken --json
    """
    import orjson

    from mempool.engine.books_replay import replay_frames, report
    from mempool.feeds.frame_file import read_frames

    venue = named_exchange(exchange)
    if replay is None:
        raise UsageError("name a recording of frames: --replay FILE")
    frames = read_frames(replay, venue.limits.max_frame_bytes)
    with quote_writer(bbo, venue) as on_quote:
        session = replay_frames(venue, frames, on_quote)
    if as_json:
        typer.echo(orjson.dumps(report(session)).decode())
    else:
        for line in summary(session):
            typer.echo(line)


def named_exchange(name: str) -> Exchange:
    """The exchange of this name, in any case."""
    from mempool.exchanges import EXCHANGES

    found = EXCHANGES.get(name.strip().lower())
    if found is None:
        known = ", ".join(EXCHANGES)
        raise UsageError(f"unknown exchange {name!r}: known are {known}" if name else f"name an exchange: --exchange {known}")
    return found


@contextmanager
def quote_writer(path: Path | None, exchange: Exchange) -> Iterator[OnQuote]:
    """What takes the quotes: a writer of `path`, one JSON object a line, or nothing."""
    import orjson

    from mempool.engine.books_replay import quote_texts

    if path is None:
        yield lambda instrument, quote, recv_ns: None
        return
    try:
        stream = path.open("wb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}: name a file to write") from error

    def write(instrument: Instrument, quote: Quote | None, recv_ns: int) -> None:
        texts = quote_texts(quote, trims_zeros=exchange.trims_zeros)
        proof = quote.proof if quote is not None else None
        line = {"schema": "mempool.bbo/1", "recv_ns": recv_ns, "symbol": instrument.symbol, **texts, "proof": proof}
        stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    with stream:
        yield write


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
