"""Records of order books and of what opens between them, in the invented market of `examples`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from msgspec.structs import replace

from mempool.model.arbitrage import (
    ArbitrageKind,
    BookArbitrage,
    BookTrade,
    CexDexArbitrage,
    PoolTrade,
    Rejection,
)
from mempool.model.book import BookState, Connection, Instrument, Proof, Quote
from mempool.model.consolidated import Best, ConsolidatedQuote, LeftOut, Market, Part, Trade
from mempool.model.record import ArbitrageEnded, ArbitrageFound, BestSampled, BookGap, QuoteSampled, Record
from tests.store.examples import PAIR, SECOND_NS, START_NS, USDC, WETH, hash_of

MS = 1_000_000
BINANCE = Instrument("binance", "ETHUSDC", "ETH", "USDC")
KRAKEN = Instrument("kraken", "ETH/USD", "ETH", "USD")
COINBASE = Instrument("coinbase", "ETH-USD", "ETH", "USD")
CIRCLE = Instrument("kraken", "USDC/USD", "USDC", "USD")
BITCOIN = Instrument("kraken", "BTC/USD", "BTC", "USD")
ETHER_IN_BITCOIN = Instrument("kraken", "ETH/BTC", "ETH", "BTC")


def trade(instrument: Instrument, what: Trade, amount_in: str, amount_out: str, worst: str, age_ns: int = 200 * MS) -> BookTrade:
    return BookTrade(instrument, what, Fraction(amount_in), Fraction(amount_out), Fraction(worst), age_ns)


CROSS = BookArbitrage(
    kind=ArbitrageKind.CROSS_EXCHANGE,
    money="USD",
    trades=(
        trade(COINBASE, Trade.BUY, "1300", "0.52", "2498.5"),
        trade(KRAKEN, Trade.SELL, "0.52", "1303.21", "2510.25", 80 * MS),
    ),
    gross_profit=Fraction("5.5"),
    net_profit=Fraction("3.21"),
    may_be_more=False,
    lived_ns=420 * MS,
)
ROUND = BookArbitrage(
    kind=ArbitrageKind.TRIANGULAR,
    money="USD",
    trades=(
        trade(BITCOIN, Trade.BUY, "1000", "0.025", "40000"),
        trade(ETHER_IN_BITCOIN, Trade.BUY, "0.025", "0.4", "0.0625"),
        trade(KRAKEN, Trade.SELL, "0.4", "1001", "2502.5"),
    ),
    gross_profit=Fraction(10, 3),
    net_profit=Fraction(1),
    may_be_more=True,
    lived_ns=0,
)
POOL_FIRST = CexDexArbitrage(
    money="USDC",
    pool_trade=PoolTrade(PAIR, USDC, WETH, 3_800_000_000, 1_520_000_000_000_000_000),
    trades=(
        trade(KRAKEN, Trade.SELL, "1", "2510", "2509"),
        trade(COINBASE, Trade.SELL, "0.52", "1305", "2508", 100 * MS),
        trade(CIRCLE, Trade.BUY, "3815", "3814.3", "1.0002"),
    ),
    gross_profit=Fraction("15.5"),
    net_profit=Fraction("12.3"),
    standing_profit=Fraction(1, 3),
    gas_units=180_000,
    gas_price_wei=31_000_000_000,
    gas_cost=Fraction("2.000000000000000001"),
    block_number=100,
    may_be_more=False,
)
BOOKS_FIRST = replace(
    POOL_FIRST,
    pool_trade=PoolTrade(PAIR, WETH, USDC, 1_520_000_000_000_000_000, 3_814_300_000),
    trades=(trade(CIRCLE, Trade.SELL, "3800", "3802", "1.0005"), trade(KRAKEN, Trade.BUY, "3802", "1.52", "2501")),
)


def near_miss(of: BookArbitrage = CROSS, why: Rejection = Rejection.FEES) -> BookArbitrage:
    note = "the fees are more than the 5.5 USD between the prices"
    return replace(of, net_profit=Fraction("-0.125"), rejection=why, note=note)


def found(number: int, arbitrage: BookArbitrage = CROSS, after_ns: int = 0, **fields: Any) -> ArbitrageFound:
    usd = fields.pop("profit_usd", float(arbitrage.net_profit))
    return ArbitrageFound(number, arbitrage, usd / 2_500, usd, START_NS + number * SECOND_NS + after_ns)


def opened_by(transaction: int, number: int, arbitrage: CexDexArbitrage = POOL_FIRST) -> ArbitrageFound:
    """What the swap of `examples.seen(transaction)` opens."""
    found_ns = START_NS + transaction * SECOND_NS + 3 * MS
    return ArbitrageFound(number, arbitrage, 0.005, 12.29, found_ns, hash_of(transaction))


def ended(number: int, lived_ns: int = 900 * MS) -> ArbitrageEnded:
    return ArbitrageEnded(number, START_NS + number * SECOND_NS + lived_ns, lived_ns)


def quoted(second: int, instrument: Instrument = KRAKEN) -> QuoteSampled:
    recv_ns = START_NS + second * SECOND_NS
    quote = Quote(instrument, 251_025, 15_000_000, 251_026, 40_000_001, 2, 8, Proof.VERIFIED, recv_ns, recv_ns - 30 * MS)
    return QuoteSampled(quote)


def best_of(second: int) -> BestSampled:
    """Kraken and Coinbase bid the same; Kraken's offer is better; Binance is left out."""
    kraken, coinbase = quoted(second).quote, quoted(second - 1, COINBASE).quote
    parts = tuple(Part(each, None, (251_025, 100), (each.ask_price, 100)) for each in (kraken, coinbase))
    down = BookState(Connection.DOWN, Proof.STALE, "connection refused", START_NS)
    best = ConsolidatedQuote(
        base="ETH",
        quote="USD",
        bid=Best((251_025, 100), 30_000_000, 8, ((KRAKEN, 15_000_000), (COINBASE, 15_000_000))),
        ask=Best((251_026, 100), 40_000_001, 8, ((KRAKEN, 40_000_001),)),
        parts=parts,
        left_out=(LeftOut(BINANCE, "connection refused", down),),
        market=Market.OPEN,
        since_ns=START_NS,
        now_ns=START_NS + second * SECOND_NS,
        after_fees=False,
    )
    return BestSampled(best)


def gap(number: int, lasts_ns: int | None, instrument: Instrument = KRAKEN, reason: str = "checksum 1, computed 2") -> BookGap:
    from_ns = START_NS + number * SECOND_NS
    to_ns = None if lasts_ns is None else from_ns + lasts_ns
    return BookGap(number, instrument.venue, instrument.symbol, "mismatch", reason, from_ns, to_ns)


def book_records() -> list[Record]:
    """One of each that needs no transaction."""
    return [
        *(quoted(1), best_of(1), found(2), found(3, near_miss()), found(4, ROUND), ended(2)),
        *(gap(5, None), gap(5, 400 * MS), gap(6, 0)),
    ]
