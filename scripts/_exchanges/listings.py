"""What the simulated venues list: symbols, ticks, lots, depths, and how each venue's price stands to the market's."""

from __future__ import annotations

from msgspec import Struct

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000 * MILLISECOND_NS


class Listing(Struct, frozen=True):
    """One market at one venue. Prices and sizes are integers scaled by the decimals, and multiples of tick and lot."""

    venue: str
    symbol: str
    base: str
    quote: str
    price_decimals: int
    size_decimals: int
    interval_ns: int
    """Between two changes of the book."""
    tick: int = 1
    lot: int = 1
    levels: int = 200
    """So many a side, and up to twice as many."""
    spread_ticks: int = 1
    offset_bps: float = 0.0
    """By how much the venue's mid stands above the market's."""
    sway_bps: float = 4.0
    """By how much it strays from there and back, so that venues cross each other now and then."""
    jolt_bps: float = 0.0
    """By how much it leaves the market for a second or two, upwards and downwards in turn, once in about half a minute."""
    largest_size: float = 40.0
    """Of a level, in the base asset."""


def _listings(venue: str, symbols: tuple[str, str], quote: str, interval_ms: int, offset_bps: float) -> tuple[Listing, Listing]:
    interval_ns = interval_ms * MILLISECOND_NS
    price_decimals, size_decimals = DECIMALS[venue]
    return (
        Listing(venue, symbols[0], "ETH", quote, price_decimals[0], size_decimals, interval_ns, offset_bps=offset_bps),
        Listing(
            *(venue, symbols[1], "BTC", quote, price_decimals[1], size_decimals, interval_ns),
            tick=5 if venue == "coinbase" else 1,
            lot=10 ** max(size_decimals - 5, 0),
            spread_ticks=3,
            offset_bps=offset_bps / 2,
        ),
    )


def _rate(venue: str, symbol: str, pair: tuple[str, str], price_decimals: int, size_decimals: int) -> Listing:
    """Of one dollar in another: few levels, wide sizes, and hardly any movement."""
    return Listing(
        *(venue, symbol, *pair, price_decimals, size_decimals, RATE_INTERVAL_NS),
        lot=10 ** max(size_decimals - 2, 0),
        levels=40,
        sway_bps=0.5,
        largest_size=500_000.0,
    )


RATE_INTERVAL_NS = 400 * MILLISECOND_NS
DECIMALS = {
    "binance": ((2, 2), 8),
    "coinbase": ((2, 2), 8),
    "kraken": ((2, 1), 8),
    "okx": ((2, 1), 6),
    "bybit": ((2, 1), 5),
}
"""Of ETH's and BTC's prices, and of sizes."""
LISTINGS: dict[str, tuple[Listing, ...]] = {
    "binance": (
        *_listings("binance", ("ETHUSDT", "BTCUSDT"), "USDT", 40, 0.0),
        _rate("binance", "USDCUSDT", ("USDC", "USDT"), 5, 8),
    ),
    "coinbase": (
        *_listings("coinbase", ("ETH-USD", "BTC-USD"), "USD", 50, 2.0),
        _rate("coinbase", "USDT-USD", ("USDT", "USD"), 5, 2),
    ),
    "kraken": (
        *_listings("kraken", ("ETH/USD", "BTC/USD"), "USD", 30, -2.0),
        _rate("kraken", "USDT/USD", ("USDT", "USD"), 5, 8),
        _rate("kraken", "USDC/USD", ("USDC", "USD"), 4, 8),
    ),
    "okx": (
        *_listings("okx", ("ETH-USDT", "BTC-USDT"), "USDT", 100, 1.0),
        _rate("okx", "USDC-USDT", ("USDC", "USDT"), 4, 6),
    ),
    "bybit": (
        *_listings("bybit", ("ETHUSDT", "BTCUSDT"), "USDT", 20, -1.0),
        _rate("bybit", "USDCUSDT", ("USDC", "USDT"), 4, 2),
    ),
}
"""By venue: the first is ETH's, those after BTC's are rates between dollars."""
