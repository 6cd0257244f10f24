"""The table of the venues that the simulator speaks for."""

from __future__ import annotations

from scripts._exchanges.binance import BINANCE
from scripts._exchanges.bybit import BYBIT
from scripts._exchanges.coinbase import COINBASE
from scripts._exchanges.kraken import KRAKEN
from scripts._exchanges.okx import OKX
from scripts._exchanges.venue import Dialect

DIALECTS: dict[str, Dialect] = {"binance": BINANCE, "coinbase": COINBASE, "kraken": KRAKEN, "okx": OKX, "bybit": BYBIT}
