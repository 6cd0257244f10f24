"""`mempool books` on simulated exchanges, as its users start it: streams, ends, and what it says where nobody is."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mempool.cli import books_live
from mempool.cli.books_table import BARS, screen, short_price, sparkline
from mempool.cli.books_texts import price_text
from mempool.cli.main import run
from mempool.engine.books_followed import TREND_NS, TREND_POINTS
from mempool.engine.books_live import BooksOptions, LiveBooks
from mempool.engine.books_look import market_looks
from mempool.exchanges.events import Fault, StateChanged
from mempool.model.book import BookState, Connection, Proof, Quote
from mempool.model.consolidated import Best
from tests.conftest import WAIT_SECONDS
from tests.e2e.exchanges import simulated_exchanges
from tests.e2e.program import COMMAND, Program, environment, run_once

NOBODY = "ws://127.0.0.1:9"
NOW_NS = 1_800_000_000_000_000_000
GOOD = BookState(Connection.LIVE, Proof.VERIFIED, "", NOW_NS)
BAD = BookState(Connection.LIVE, Proof.DESYNCED, "a message is missing", NOW_NS)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of five simulated exchanges."""
    with simulated_exchanges() as address:
        yield address


def test_once_prints_every_book_and_ends_with_0(server: str, tmp_path: Path) -> None:
    ended = run_once(["books", "--server", server, "--once", "--exchange", "kraken", "--exchange", "okx"], tmp_path)
    assert ended.code == 0, ended.stderr
    assert re.search(r"^kraken ETH/USD: live, verified; bid [\d.]+ x [\d.]+, ask ", ended.stdout, re.MULTILINE)
    assert re.search(r"^okx ETH/USDT: live, verified; bid ", ended.stdout, re.MULTILINE)


def test_stream_is_one_object_a_line_and_a_signal_ends_it_cleanly(server: str, tmp_path: Path) -> None:
    record = tmp_path / "books.capture.gz"
    arguments = ["books", "--server", server, "--json", "--exchange", "bybit", "--pair", "BTC/USDT", "--record", str(record)]
    with Program(arguments, tmp_path) as program:
        deadline = time.monotonic() + WAIT_SECONDS
        while '"type":"quote"' not in (tmp_path / "stdout").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        ended = program.stop(signal.SIGINT)
    assert ended.code == 130
    assert ended.stderr == ""
    lines: list[dict[str, Any]] = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {line["schema"] for line in lines} == {"mempool.quotes/1"}
    quote = next(line for line in lines if line["type"] == "quote")
    assert (quote["venue"], quote["symbol"], quote["pair"], quote["proof"]) == ("bybit", "BTCUSDT", "BTC/USDT", "verified")
    assert Fraction(quote["bid"]) < Fraction(quote["ask"])
    states = [line["connection"] for line in lines if line["type"] == "state"]
    assert states == ["connecting", "syncing", "live"]
    assert record.stat().st_size > 100


@pytest.mark.parametrize("command", ["books --json", "scan"])
def test_full_disk_under_the_recording_is_told_at_once_and_at_the_end(command: str, server: str, tmp_path: Path) -> None:
    arguments = [*command.split(), "--server", server, "--exchange", "bybit", "--record", "/dev/full"]
    told = "/dev/full cannot be written on: No space left on device; the books are followed on without it\n"
    with Program(arguments, tmp_path) as program:
        deadline = time.monotonic() + WAIT_SECONDS
        while told not in (tmp_path / "stderr").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        ended = program.stop(signal.SIGINT)
    assert ended.code == 7
    assert ended.stderr.count(told) == 1
    assert "error: /dev/full is not complete: No space left on device" in ended.stderr


def test_closed_pipe_ends_the_stream_silently(server: str, tmp_path: Path) -> None:
    command = [*COMMAND, "books", "--server", server, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(tmp_path, {})
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"schema":"mempool.quotes/1"')
        process.stdout.close()
        assert process.wait(WAIT_SECONDS) == 0
        assert process.stderr.read() == b""


def test_once_with_nobody_there_ends_with_4_and_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["books", "--server", NOBODY, "--once"]) == 4
    said = capsys.readouterr().err
    assert said.startswith("error: no exchange could be reached: binance: connection refused")
    assert said.count("\n") == 1


def test_books_of_exchanges_that_cannot_be_reached_are_down_with_the_reason_and_tried_on(tmp_path: Path) -> None:
    with Program(["books", "--server", NOBODY, "--exchange", "kraken"], tmp_path) as program:
        deadline = time.monotonic() + WAIT_SECONDS
        while "connection refused" not in (tmp_path / "stdout").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        ended = program.stop(signal.SIGTERM)
    assert ended.code == 143
    assert "kraken ETH/USD: " in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--exchange", "mtgox"], "unknown exchange 'mtgox': known are binance, coinbase, kraken, okx, bybit"),
        (["--pair", "nothing"], "'nothing' is not a symbol: name a pair such as ETH/USD; quote assets are "),
        (["--server", "kraken.com"], "is no address: write such as ws://127.0.0.1:9001"),
        (["--bbo", "x"], "--bbo is for a recording: --replay FILE"),
        (["--taker-fee", "okx"], "'okx' is no taker fee: write NAME=PERCENT, such as binance=0.075"),
        (["--taker-fee", "mtgox=1"], "unknown exchange 'mtgox' in 'mtgox=1': known are binance, "),
        (["--size", "many"], "--size 'many' is no amount: write a number such as 2.5"),
        *((["--size", text], f"--size {text!r} is no amount: from 0.0") for text in ("0", "-1", "nan", "inf", "1e15", "1e-19")),
        (["--replay", "x", "--size", "1"], "--taker-fee, --size, --server, --record and --once are for live books"),
        (["--replay", "x", "--taker-fee", "okx=0"], "are for live books"),
        (["--replay", "x", "--once"], "are for live books"),
        (["--replay", "x", "--exchange", "okx", "--exchange", "kraken"], "a recording is of one exchange"),
    ],
)
def test_wrong_call_is_refused_with_what_is_known(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["books", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_table_says_states_in_words_and_voids_the_price_of_a_book_that_is_not_trusted(columns: int) -> None:
    books = LiveBooks(BooksOptions(venues=("kraken", "coinbase"), server=NOBODY), books_live.ignore)
    kraken, coinbase = books.markets[0].books
    good = BookState(Connection.LIVE, Proof.VERIFIED, "", NOW_NS)
    for book in (kraken, coinbase):
        books._hear(book.venue, StateChanged(book, good))
        books._hear(book.venue, Quote(book, 300_010, 15, 300_020, 25, 2, 1, Proof.VERIFIED, NOW_NS))
    books._hear("coinbase", StateChanged(coinbase, BookState(Connection.LIVE, Proof.DESYNCED, "bad \x1b[31m news", NOW_NS)))
    console = Console(width=columns, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(screen(books, market_looks(books.books, NOW_NS), NOW_NS + 1_500_000_000, columns))
    shown = capture.get()
    assert max(map(len, shown.splitlines())) <= columns
    assert re.search(r"kraken +ETH/USD +live verified +3000\.10 .*3000\.20", shown)
    assert re.search(r"coinbase +ETH/USD +live desynced +1\.5 s", shown)
    assert "coinbase ETH/USD: bad \ufffd[31m news" in shown
    assert re.search(r"best +ETH/USD +open +3000\.1 ", shown)


def drawn(books: LiveBooks, columns: int, gaps: int = 0) -> list[str]:
    console = Console(width=columns, no_color=True, highlight=False)
    with console.capture() as capture:
        looks = market_looks(books.books, NOW_NS)
        console.print(screen(books, looks, NOW_NS + TREND_POINTS * TREND_NS, columns, lambda instrument: gaps))
    return capture.get().splitlines()


@pytest.mark.parametrize(
    ("columns", "shown", "points"),
    [
        (80, "venue pair state bid ask age", 0),
        (84, "venue pair state bid ask age gaps", 0),
        (100, "venue pair state bid ask age gaps trend", 15),
        (120, "venue pair state bid size ask size age gaps trend", 11),
        (150, "venue pair state bid size ask size age gaps trend clock", 32),
    ],
)
def test_wider_terminal_shows_more_columns_and_as_much_of_the_trend_as_fits(columns: int, shown: str, points: int) -> None:
    books = LiveBooks(BooksOptions(venues=("kraken",), pairs=("BTC/USD",), server=NOBODY), books_live.ignore)
    (book,) = books.markets[0].books
    books._hear("kraken", StateChanged(book, BookState(Connection.LIVE, Proof.UNVERIFIABLE, "", NOW_NS)))
    empty = drawn(books, columns)
    for second in range(TREND_POINTS + 5):
        price, size = 12_345_678_901 + second, 123_456_789_000_000
        quote = Quote(book, price, size, price + 1, size, 6, 8, Proof.UNVERIFIABLE, NOW_NS + second * TREND_NS)
        books._hear("kraken", quote)
    full = drawn(books, columns, gaps=234)
    assert full[0].split() == empty[0].split() == shown.split()
    assert [line.split()[0] for line in full[1:4]] == ["kraken", "best", "after"]
    assert max(map(len, full)) <= columns
    assert sum(full[1].count(bar) for bar in BARS) == points
    assert (" 234" in full[1]) == ("gaps" in shown)


@pytest.mark.parametrize(("columns", "header"), [(76, "venue pair state bid ask"), (52, "venue pair bid ask")])
def test_narrow_terminal_shows_both_prices_before_all_else(columns: int, header: str) -> None:
    books = LiveBooks(BooksOptions(venues=("kraken",), pairs=("BTC/USD",), server=NOBODY), books_live.ignore)
    (book,) = books.markets[0].books
    books._hear("kraken", StateChanged(book, GOOD))
    books._hear("kraken", Quote(book, 6_000_010, 15, 6_000_020, 25, 2, 1, Proof.VERIFIED, NOW_NS))
    lines = drawn(books, columns)
    assert lines[0].split() == header.split()
    assert lines[1].split()[-2:] == ["60000.10", "60000.20"]
    assert max(map(len, lines)) <= columns


def test_best_of_each_pair_stands_below_its_books_and_no_book_twice() -> None:
    options = BooksOptions(venues=("okx", "kraken"), pairs=("ETH/USD", "ETH/USDT", "BTC/USD"), server=NOBODY)
    lines = drawn(LiveBooks(options, books_live.ignore), 100)
    assert [line.split()[:2] for line in lines[1:13]] == [
        ["okx", "ETH/USDT"],
        ["kraken", "ETH/USD"],
        ["best", "ETH/USD"],
        ["after", "fees"],
        ["kraken", "ETH/USDT"],
        ["best", "ETH/USDT"],
        ["after", "fees"],
        ["okx", "BTC/USDT"],
        ["kraken", "BTC/USD"],
        ["best", "BTC/USD"],
        ["after", "fees"],
        ["kraken", "USDT/USD"],
    ]


def test_columns_stand_still_while_figures_change() -> None:
    books = LiveBooks(BooksOptions(venues=("kraken",), server=NOBODY), books_live.ignore)
    (book,) = books.markets[0].books
    books._hear("kraken", StateChanged(book, BookState(Connection.LIVE, Proof.VERIFIED, "", NOW_NS)))
    heads = set()
    for price, size in ((300_010, 5), (312_345, 1_234_567), (99_999, 100)):
        books._hear("kraken", Quote(book, price, size, price + 10, size, 2, 4, Proof.VERIFIED, NOW_NS))
        heads.add(drawn(books, 160)[0])
    assert len(heads) == 1


def test_gaps_of_a_book_and_of_its_whole_connection_are_counted_once_each() -> None:
    books = LiveBooks(BooksOptions(venues=("kraken", "coinbase"), server=NOBODY), books_live.ignore)
    kraken, coinbase = books.markets[0].books
    counts = books_live.GapCounts()
    for state in (GOOD, BAD, GOOD, BAD):
        counts.hear("kraken", StateChanged(kraken, state))
    counts.hear("kraken", Fault("malformed", "not JSON", None, NOW_NS))
    counts.hear("kraken", Fault("mismatch", "checksum 1, computed 2", kraken, NOW_NS))
    assert (counts.of(kraken), counts.of(coinbase)) == (4, 0)


def test_figures_are_short_and_exact() -> None:
    assert [short_price(*each) for each in ((300_010_000_000, 8), (300_012_300_000, 8), (5, 0), (50, 1))] == [
        "3000.10",
        "3000.123",
        "5",
        "5.0",
    ]
    assert sparkline([1.0, 2.0, 3.0]) == "▁▄█" or sparkline([1.0, 2.0, 3.0]) == "▁▅█"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([]) == ""
    assert price_text(Best((10, 3), 1, 0, ())) == "3.333333"
    assert price_text(None) == ""
