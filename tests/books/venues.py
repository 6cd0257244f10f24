"""Instruments, quotes and states of a few venues, for the tests of what joins them."""

from __future__ import annotations

from decimal import Decimal

from mempool.model.book import BookState, Connection, Instrument, Proof, Quote, unscaled

KRAKEN = Instrument("kraken", "ETH/USD", "ETH", "USD")
COINBASE = Instrument("coinbase", "ETH-USD", "ETH", "USD")
BINANCE = Instrument("binance", "ETHUSDT", "ETH", "USDT")
OKX = Instrument("okx", "ETH-USDT", "ETH", "USDT")
BYBIT = Instrument("bybit", "ETHUSDC", "ETH", "USDC")
BOOKS = (KRAKEN, COINBASE, BINANCE, OKX, BYBIT)
TETHER = Instrument("kraken", "USDT/USD", "USDT", "USD")
TETHER_TOO = Instrument("coinbase", "USDT-USD", "USDT", "USD")
CIRCLE = Instrument("coinbase", "USD-USDC", "USD", "USDC")
"""A rate that is written the other way round: USDC for one USD."""
RATES = (TETHER, TETHER_TOO, CIRCLE)
FEES = {"kraken": 2600, "coinbase": 6000, "binance": 1000, "okx": 1000, "bybit": 1000}
FREE = dict.fromkeys(FEES, 0)
SECOND = 1_000_000_000
LIVE = BookState(Connection.LIVE, Proof.VERIFIED, "", 0)


def state(connection: Connection, proof: Proof, reason: str = "", since_ns: int = 0) -> BookState:
    return BookState(connection, proof, reason, since_ns)


def scaled(text: str) -> tuple[int, int]:
    """The number without its point, and its decimals."""
    return int(text.replace(".", "")), len(text.partition(".")[2])


def quote(instrument: Instrument, bid: str, ask: str, sizes: tuple[str, str] = ("1.0", "1.0"), recv_ns: int = 0) -> Quote:
    """From texts; bid and ask have the same decimals, and so have the sizes."""
    (bid_price, price_decimals), (ask_price, _) = scaled(bid), scaled(ask)
    (bid_size, size_decimals), (ask_size, _) = scaled(sizes[0]), scaled(sizes[1])
    return Quote(instrument, bid_price, bid_size, ask_price, ask_size, price_decimals, size_decimals, Proof.VERIFIED, recv_ns)


def quantities(of: Quote) -> tuple[Decimal, Decimal]:
    """What is bid for and asked at the best prices, with all its decimals."""
    return unscaled(of.bid_size, of.size_decimals), unscaled(of.ask_size, of.size_decimals)
