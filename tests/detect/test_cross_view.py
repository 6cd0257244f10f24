"""Which coins and books a pool is compared to."""

from __future__ import annotations

import pytest

from mempool.detect.cross_view import Coin, assets_of
from mempool.model.book import Instrument
from mempool.resources import chain_names, load_tables
from tests.books.venues import BINANCE, BOOKS, BYBIT, COINBASE, KRAKEN, OKX, TETHER
from tests.detect.cross_scenes import CIRCLE_TETHER, CIRCLE_USD, ETH, UNI, UNI_BOOK, USDC, USDT, assets

FRAX_LIKE = Coin(b"\x07" * 20, "ZUSD", 18, is_dollar=True)
DAI = Coin(b"\x08" * 20, "DAI", 18, is_dollar=True)
LINK = Coin(b"\x09" * 20, "LINK", 18, is_dollar=False)


@pytest.mark.parametrize(
    ("coins", "base", "money"),
    [
        ((ETH, USDC), ETH, USDC),
        ((UNI, ETH), UNI, ETH),
        ((UNI, USDT), UNI, USDT),
        ((USDC, USDT), USDC, USDT),
        ((DAI, USDC), DAI, USDC),
        ((FRAX_LIKE, DAI), DAI, FRAX_LIKE),
    ],
)
def test_money_is_the_dollar_of_the_two_or_the_first_among_dollars_or_the_native_token(
    coins: tuple[Coin, Coin], base: Coin, money: Coin
) -> None:
    direct = Instrument("kraken", "direct", base.asset, money.asset)
    known = assets(*coins, instruments=[direct])
    for tokens in ((coins[0].token, coins[1].token), (coins[1].token, coins[0].token)):
        pair = known.pair(*tokens)
        assert pair is not None
        assert (pair.base, pair.money, pair.books) == (base, money, (direct,))


def test_two_coins_that_are_neither_dollar_nor_native_are_not_compared() -> None:
    assert assets(UNI, LINK, instruments=[Instrument("kraken", "UNI/LINK", "UNI", "LINK")]).pair(UNI.token, LINK.token) is None


def test_books_in_other_moneys_count_where_a_leg_is_followed() -> None:
    pair = assets(instruments=(*BOOKS, UNI_BOOK, CIRCLE_USD, TETHER)).pair(ETH.token, USDC.token)
    assert pair is not None
    assert pair.books == (KRAKEN, COINBASE, BYBIT)
    assert pair.legs == {"USD": (CIRCLE_USD,)}
    more = assets(instruments=(*BOOKS, CIRCLE_USD, CIRCLE_TETHER)).pair(ETH.token, USDC.token)
    assert more is not None
    assert more.books == (KRAKEN, COINBASE, BINANCE, OKX, BYBIT)
    assert more.legs == {"USD": (CIRCLE_USD,), "USDT": (CIRCLE_TETHER,)}


def test_pool_without_any_book_is_not_compared() -> None:
    assert assets(instruments=(UNI_BOOK, CIRCLE_USD)).pair(ETH.token, USDC.token) is None
    assert assets(instruments=(KRAKEN,)).pair(ETH.token, USDC.token) is None


@pytest.mark.parametrize("name", chain_names())
def test_coins_are_the_listed_tokens_that_have_an_asset(name: str) -> None:
    tables = load_tables(name)
    known = assets_of(tables, [KRAKEN, KRAKEN, TETHER])
    assert known.instruments == (KRAKEN, TETHER)
    assert known.native is not None
    assert (known.native.token, known.native.asset) == (tables.wrapped_native, tables.chain.native_symbol)
    assert {coin.asset for coin in known.coins.values()} == {token.asset for token in tables.tokens.values() if token.asset}
    assert all(known.coins[token].decimals == tables.tokens[token].decimals for token in known.coins)


def test_bridged_and_pegged_coins_have_no_asset() -> None:
    for name, symbol in (("arbitrum", "USDC.e"), ("polygon", "WETH"), ("bsc", "USDT"), ("ethereum", "wstETH")):
        (token,) = [each for each in load_tables(name).tokens.values() if each.symbol == symbol]
        assert token.asset == ""
    assert {token.asset for token in load_tables().tokens.values() if token.symbol == "WBTC"} == {"WBTC"}
