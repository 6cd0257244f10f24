"""The venues' names of a pair, mapped once: `ETHUSDT`, `ETH-USD`, `XETHZUSD` and `ETH/USD` to base and quote asset."""

from __future__ import annotations

import re
from functools import lru_cache

from mempool.errors import BadData

QUOTE_ASSETS = (
    *("FDUSD", "RLUSD", "PYUSD", "TUSD", "USDT", "USDC", "USDP", "USDE", "USD1", "BUSD", "USD", "DAI"),
    *("EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "TRY", "BRL", "BTC", "ETH", "BNB", "SOL"),
)
"""What a joined name such as `ETHUSDT` may end with; the longest that fits is meant."""
_BY_LENGTH = sorted(QUOTE_ASSETS, key=len, reverse=True)
_ASSET = re.compile(r"[A-Z0-9.]{1,20}")
_KRAKEN_ASSETS = {"XBT": "BTC", "XDG": "DOGE"}
_KRAKEN_REST = re.compile(r"[XZ]?([A-Z0-9]{3,})Z(USD|EUR|GBP|JPY|CAD|AUD)|X([A-Z]{3})X(XBT|ETH)")


class UnknownSymbol(BadData):
    """A text that names no pair."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} names no pair")
        self.text = text


def joined(base: str, quote: str) -> str:
    return base + quote


def dashed(base: str, quote: str) -> str:
    return f"{base}-{quote}"


def slashed(base: str, quote: str) -> str:
    return f"{base}/{quote}"


def pair_of(symbol: str) -> tuple[str, str]:
    """Base and quote asset of `ETH/USD`, `ETH-USD` or `ETHUSD`. Raises `UnknownSymbol`."""
    for mark in "/-":
        if mark in symbol:
            base, _, quote = symbol.partition(mark)
            return _checked(base, quote, symbol)
    for quote in _BY_LENGTH:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return _checked(symbol.removesuffix(quote), quote, symbol)
    raise UnknownSymbol(symbol)


def kraken_pair_of(symbol: str) -> tuple[str, str]:
    """The same for Kraken, which also writes `XBT/USD` (websocket v1) and `XXBTZUSD` (REST)."""
    found = _KRAKEN_REST.fullmatch(symbol)
    base, quote = (found[1] or found[3], found[2] or found[4]) if found else pair_of(symbol.replace("XBT", "BTC"))
    return _KRAKEN_ASSETS.get(base, base), _KRAKEN_ASSETS.get(quote, quote)


def names(text: str, symbol: str) -> bool:
    """Whether the symbol stands in a text, in any case and as a whole: `ETH-USD` does not in `ETH-USDT`, nor at the end."""
    return _whole(symbol).search(text.upper()) is not None


@lru_cache(maxsize=2_048)
def _whole(symbol: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Z0-9/-]){re.escape(symbol.upper())}(?=[^A-Z0-9/-])")


def _checked(base: str, quote: str, symbol: str) -> tuple[str, str]:
    if not _ASSET.fullmatch(base) or not _ASSET.fullmatch(quote):
        raise UnknownSymbol(symbol)
    return base, quote
