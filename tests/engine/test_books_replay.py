"""Recordings as others make them: several books and channels in one file, answers in any place, the recorder's reconnects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from mempool.engine.books_replay import replay_frames, report
from mempool.exchanges import EXCHANGES
from mempool.model.book import Instrument, Quote
from scripts._exchanges.book import Best
from scripts._exchanges.faults import Fault, FaultKind, scattered
from scripts._exchanges.line import Delivery
from scripts._exchanges.listings import LISTINGS
from scripts._exchanges.venue import Answer
from tests.exchanges.dialects import Binance, Bybit, Coinbase, Dialect, Kraken, Okx
from tests.fakes.exchange_play import Play, is_equal

SECOND_NS = 1_000_000_000
START_NS = 1_787_612_486 * SECOND_NS
CLEAN = {"mismatches": 0, "gaps": 0, "resyncs": 0, "malformed": 0}
BOOK = [("99.5", "1.5"), ("99.4", "2.5")], [("100.5", "1.5"), ("100.6", "2.5")]


def replayed(venue: str, frames: Iterable[bytes]) -> dict[str, Any]:
    def take(instrument: Instrument, quote: Quote | None, recv_ns: int) -> None:
        assert quote is None or quote.bid_price < quote.ask_price

    stamped = ((START_NS + number * SECOND_NS // 10, frame) for number, frame in enumerate(frames))
    return report(replay_frames(EXCHANGES[venue], stamped, take))


def faults(shown: dict[str, Any]) -> dict[str, int]:
    return {key: shown[key] for key in CLEAN}


def best(shown: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    return {book["symbol"]: (book["bid"], book["ask"]) for book in shown["books"]}


def filled(dialect: Dialect) -> Dialect:
    """The second symbol's book is the first one's at another price."""
    first, second = dialect.symbols
    dialect.books[first].change(*BOOK)
    dialect.books[second].change([("9.5", "1.5")], [("10.5", "1.5")])
    return dialect


@pytest.mark.parametrize("number", [100, 102, 900_000, 38_000_000])
def test_answers_go_to_the_symbols_whose_ids_and_prices_they_have_wherever_they_stand(number: int) -> None:
    for order in ("before", "between", "after"):
        dialect = filled(Binance())
        first, second = dialect.symbols
        dialect.books[second].number = number  # near enough to be taken for the other one's
        changes = [dialect.update(first, [("99.1", "1")], []), dialect.update(second, [("9.1", "1")], [])]
        answers = [dialect.snapshot(second), dialect.snapshot(first)]
        later = [dialect.update(first, [("99.6", "1")], []), dialect.update(second, [("9.6", "1")], [])]
        frames = {
            "before": [*answers, *changes, *later],
            "between": [changes[0], *answers, changes[1], *later],
            "after": [*changes, *answers, *later],
        }[order]
        shown = replayed("binance", frames)
        assert best(shown) == {first: ("99.6", "100.5"), second: ("9.6", "10.5")}, order
        assert (faults(shown), shown["frames"], shown["snapshots"]) == (CLEAN, 6, 2), order


def test_answers_that_no_book_waits_for_count_as_frames_and_change_nothing() -> None:
    dialect = filled(Binance())
    symbol = dialect.symbols[0]
    frames = [dialect.update(symbol, [], []), dialect.snapshot(symbol)]
    for number in range(100):
        frames += [dialect.update(symbol, [("99.3", f"{number + 1}")], []), dialect.snapshot(symbol)]
    shown = replayed("binance", frames)
    assert (faults(shown), shown["frames"], shown["snapshots"], shown["verified"]) == (CLEAN, 202, 1, 101)


def test_answer_heard_before_a_reconnect_serves_the_book_that_was_lost_by_it() -> None:
    dialect = filled(Binance())
    symbol = dialect.symbols[0]
    frames = [dialect.update(symbol, [], []), dialect.snapshot(symbol), dialect.update(symbol, [("99.6", "1")], [])]
    dialect.update(symbol, [("99.7", "1")], [])
    frames += [dialect.snapshot(symbol), dialect.update(symbol, [("99.8", "1")], []), dialect.update(symbol, [], [])]
    shown = replayed("binance", frames)
    assert faults(shown) == {**CLEAN, "gaps": 1, "resyncs": 1}
    assert best(shown) == {symbol: ("99.8", "100.5")}


def test_answer_in_another_order_of_keys_is_one() -> None:
    dialect = filled(Binance())
    symbol = dialect.symbols[0]
    answer = json.loads(dialect.snapshot(symbol))
    frames = [dialect.update(symbol, [], []), json.dumps(answer, sort_keys=True).encode(), dialect.update(symbol, [], [])]
    assert best(replayed("binance", frames)) == {symbol: ("99.5", "100.5")}


def test_best_levels_of_binance_beside_the_diffs_are_passed_over() -> None:
    dialect = filled(Binance())
    symbol = dialect.symbols[0]
    partial = json.dumps({"stream": "ethusdt@depth20@100ms", "data": {"lastUpdateId": 7, "bids": [["1", "1"]], "asks": []}})
    frames = [dialect.update(symbol, [], []), partial.encode(), dialect.snapshot(symbol), partial.encode()]
    frames += [dialect.update(symbol, [("99.6", "1")], []), partial.encode()]
    shown = replayed("binance", frames)
    assert (faults(shown), best(shown)) == (CLEAN, {symbol: ("99.6", "100.5")})


def test_coinbase_whose_numbers_start_over_in_later_frames_was_connected_to_again() -> None:
    first, second = filled(Coinbase()), filled(Coinbase())
    symbol = first.symbols[0]
    assert isinstance(first, Coinbase)
    assert isinstance(second, Coinbase)
    frames = [
        first.snapshot(symbol),
        *(first.update(symbol, [("99.6", f"{size}")], []) for size in range(1, 6)),
        first.heartbeat(9),
    ]
    second.time = "2026-08-24T23:00:00.5Z"
    frames += [second.heartbeat(1), second.snapshot(symbol), second.update(symbol, [("99.7", "1")], []), second.heartbeat(2)]
    shown = replayed("coinbase", frames)
    assert (faults(shown), best(shown)) == (CLEAN, {symbol: ("99.7", "100.5")})
    at_once = [frame.replace(second.time.encode(), first.time.encode()) for frame in frames]
    shown = replayed("coinbase", at_once)
    assert (faults(shown), best(shown)) == (CLEAN, {symbol: ("99.7", "100.5")})
    again = replayed("coinbase", [*frames[:6], *frames[2:4], first.update(symbol, [("99.8", "1")], [])])
    assert (again["duplicates"], again["gaps"]) == (2, 1)  # the same frames again are none of a new connection


def levels_of(frame: bytes, depth: int) -> bytes:
    """An update of Bybit in its stream of so many levels, numbered apart."""
    return re.sub(rb'"u":(\d+)', lambda found: b'"u":%d' % (int(found[1]) * 3 + depth), frame).replace(
        b"orderbook.200.", b"orderbook.%d." % depth
    )


def test_bybit_recorded_in_several_depths_is_the_deepest_one() -> None:
    dialect = filled(Bybit())
    assert isinstance(dialect, Bybit)
    symbol = dialect.symbols[0]
    frames: list[bytes] = []
    for change in (None, [("99.6", "1")], [("99.6", "0")], [("99.7", "2")]):
        frame = dialect.snapshot(symbol) if change is None else dialect.update(symbol, change, [])
        top = frame if change is None else dialect.frame("snapshot", symbol, change, [("100.5", "1.5")])
        dialect.books[symbol].number -= change is not None
        frames += [levels_of(top, 1), frame, frame.replace(b"orderbook.200.", b"orderbook.rpi.").replace(b'"]', b'","7"]')]
    shown = replayed("bybit", frames)
    assert (faults(shown), best(shown)) == (CLEAN, {symbol: ("99.7", "100.5")})
    assert (shown["snapshots"], shown["updates"]) == (2, 3)
    assert shown["books"][0]["levels"] == [3, 2]


def test_okx_recorded_in_several_channels_is_one_of_them() -> None:
    dialect = filled(Okx())
    symbol = dialect.symbols[0]
    frames: list[bytes] = []
    for change in (None, [("99.6", "1")], [("99.7", "2")]):
        frame = dialect.snapshot(symbol) if change is None else dialect.update(symbol, change, [])
        body = json.loads(frame)
        for channel in ("books5", "books50-l2-tbt", "books-rpi"):
            other = {**body, "arg": {"channel": channel, "instId": symbol}}
            other["data"] = [{**body["data"][0], "seqId": 5, "prevSeqId": 3 if change else -1}]
            frames.append(json.dumps({key: other[key] for key in other if channel != "books5" or key != "action"}).encode())
        frames.append(json.dumps(body, sort_keys=True).encode())
        frames.append(json.dumps({"data": body["data"], "action": body["action"], "arg": body["arg"]}).encode())
    shown = replayed("okx", frames)
    assert (faults(shown), best(shown)) == (CLEAN, {symbol: ("99.7", "100.5")})


@pytest.mark.parametrize(
    ("venue", "own", "other"),
    [
        ("binance", "ETHUSDT", "ETHPLN"),
        ("bybit", "ETHUSDT", "ETHUSDT_ETH/USDT"),
        ("okx", "ETH-USDT", "ETH-USD-SWAP"),
        ("coinbase", "ETH-USD", "BIP-20DEC30-CDE"),
    ],
)
def test_recording_of_a_market_that_is_no_known_pair_is_rebuilt(venue: str, own: str, other: str) -> None:
    dialect = filled({"binance": Binance, "bybit": Bybit, "okx": Okx, "coinbase": Coinbase}[venue]())
    frames = [dialect.snapshot(own), dialect.update(own, [("99.6", "1")], [])]
    renamed = [frame.replace(own.encode(), other.encode()) for frame in frames]
    shown = replayed(venue, renamed)
    assert (faults(shown), best(shown)) == (CLEAN, {other: ("99.6", "100.5")})
    assert shown["books"][0]["pair"] == f"{other}/?"


def test_quote_is_that_of_the_first_symbol_with_a_book() -> None:
    dialect = filled(Okx())
    first, second = dialect.symbols
    ack = json.dumps({"event": "subscribe", "arg": {"channel": "trades", "instId": "SOL-USDT"}}).encode()
    frames = [ack, dialect.update(first, [("99.6", "1")], []), dialect.snapshot(second)]
    shown = replayed("okx", frames)
    assert (shown["bid"], shown["synced"]) == ("9.5", True)
    assert [book["symbol"] for book in shown["books"]] == [first, second]


def test_refusal_of_something_else_ends_no_book_of_a_recording() -> None:
    dialect = filled(Bybit())
    symbol = dialect.symbols[0]
    refusal = {"success": False, "ret_msg": f"error:handler not found,topic:orderbook.500.{symbol}", "op": "subscribe"}
    frames = [dialect.snapshot(symbol), json.dumps(refusal).encode(), dialect.update(symbol, [("99.6", "1")], [])]
    shown = replayed("bybit", frames)
    assert (best(shown), shown["reasons"]) == ({symbol: ("99.6", "100.5")}, {"venue error": 1})


def test_frames_of_all_markets_at_once_are_none_of_a_book() -> None:
    dialect = filled(Binance())
    symbol = dialect.symbols[0]
    tickers = [{"e": "24hrTicker", "E": 1, "s": symbol, "c": "99.5"}]
    others = [json.dumps({"stream": "!ticker@arr", "data": tickers}).encode(), json.dumps(tickers).encode()]
    frames = [dialect.update(symbol, [], []), dialect.snapshot(symbol), *others, dialect.update(symbol, [("99.6", "1")], [])]
    shown = replayed("binance", frames)
    assert (faults(shown), best(shown)) == (CLEAN, {symbol: ("99.6", "100.5")})


def test_kraken_precision_heard_before_the_book_makes_up_for_zeros_that_a_recorder_dropped() -> None:
    dialect = Kraken()
    symbol = dialect.symbols[0]
    dialect.books[symbol].change([("99.50", "1.500")], [("100.50", "2.000")])
    pairs = [{"symbol": symbol, "price_precision": 2, "qty_precision": 3, "status": "limit_only"}]
    instruments = json.dumps({"channel": "instrument", "type": "snapshot", "data": {"pairs": pairs}}).encode()
    frames = [json.dumps(json.loads(frame)).encode() for frame in (dialect.snapshot(symbol),)]
    assert b"99.5," in frames[0]
    shown = replayed("kraken", [instruments, *frames])
    assert (faults(shown), best(shown)) == (CLEAN, {symbol: ("99.50", "100.50")})
    assert replayed("kraken", frames)["mismatches"] == 1


def test_kraken_numbers_as_texts_are_read() -> None:
    dialect = Kraken()
    symbol = dialect.symbols[0]
    dialect.books[symbol].change(*BOOK)
    frame = re.sub(rb'"(price|qty)":([0-9.]+)', rb'"\1":"\2"', dialect.snapshot(symbol))
    assert best(replayed("kraken", [frame])) == {symbol: ("99.5", "100.5")}


def test_kraken_snapshot_with_more_levels_than_before_is_of_a_deeper_subscription() -> None:
    dialect = Kraken()
    symbol = dialect.symbols[0]
    book = dialect.books[symbol]
    book.change([(f"{99 - level}.0", "1.5") for level in range(12)], [(f"{101 + level}.0", "1.5") for level in range(12)])
    frames = [dialect.snapshot(symbol), dialect.frame("snapshot", symbol, *book.sorted(25))]
    for level in range(3):
        gone = [(f"{99 - level}.0", "0.0")]
        book.change(gone, [])
        frames.append(dialect.frame("update", symbol, gone, []))
    shown = replayed("kraken", frames)
    assert (faults(shown), shown["verified"], best(shown)) == (CLEAN, 5, {symbol: ("96.0", "101.0")})


def test_price_that_is_none_in_a_held_update_is_told_where_it_is_applied() -> None:
    dialect = filled(Binance())
    symbol = dialect.symbols[0]
    old = dialect.snapshot(symbol)
    broken = dialect.update(symbol, [("99.4", "1")], []).replace(b"99.4", b"x")
    shown = replayed("binance", [broken, dialect.update(symbol, [], []), old])
    assert (shown["frames"], shown["malformed"], best(shown)) == (3, 1, {symbol: (None, None)})


class Recorded(Play):
    """What a session on a faulty line heard, as a recorder would have written it, and the venue's best quotes at each frame."""

    def __init__(self, venue: str, seed: int, faults: Iterable[Fault]) -> None:
        self.lines: list[tuple[int, bytes, dict[str, Best]]] = []
        super().__init__(venue, seed, faults)

    def _hear(self, delivery: Delivery) -> None:
        self.lines.append((delivery.recv_ns, delivery.frame, dict(self.line.truths)))
        super()._hear(delivery)

    def _answered(self, now_ns: int, symbol: str, answer: Answer) -> None:
        if answer.status == 200:
            self.lines.append((now_ns, answer.body, {}))
        super()._answered(now_ns, symbol, answer)


@pytest.mark.parametrize("venue", LISTINGS)
def test_recording_of_a_line_that_breaks_and_loses_frames_has_no_wrong_quote_and_all_books_at_its_end(venue: str) -> None:
    kinds = [FaultKind.CLOSE, FaultKind.ABORT, FaultKind.DROP, FaultKind.CUT, FaultKind.DUPLICATE]
    play = Recorded(venue, 3, scattered(3, kinds, [each.symbol for each in LISTINGS[venue]], 30, 12))
    play.run(1_500)
    assert play.connects > 2
    truths: dict[str, Best] = {}
    wrong: list[str] = []

    def frames() -> Iterable[tuple[int, bytes]]:
        for recv_ns, frame, best in play.lines:
            truths.update(best)
            yield recv_ns, frame

    def hear(instrument: Instrument, quote: Quote | None, recv_ns: int) -> None:
        if quote is not None and not is_equal(quote, truths[instrument.symbol]):
            wrong.append(str(quote))

    session = replay_frames(EXCHANGES[venue], frames(), hear)
    assert wrong == []
    assert [symbol for symbol in session.keepers if not session.state(symbol).is_priced] == []
    assert session.counts.verified > play.session.counts.verified * 0.97
    assert session.counts.frames == len(play.lines)
