"""Exchanges: one file a venue, bytes in and values out. Importing the package gives the table of them all."""

from mempool.exchanges.binance import BINANCE
from mempool.exchanges.bybit import BYBIT
from mempool.exchanges.coinbase import COINBASE
from mempool.exchanges.exchange import Exchange
from mempool.exchanges.kraken import KRAKEN
from mempool.exchanges.okx import OKX

EXCHANGES: dict[str, Exchange] = {each.name: each for each in (BINANCE, COINBASE, KRAKEN, OKX, BYBIT)}

__all__ = ["EXCHANGES", "Exchange"]
