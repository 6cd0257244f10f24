"""The simulated exchanges beside a devnet follow the prices of its pools, and their address is said."""

from __future__ import annotations

import signal
import sys
import time
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from io import BufferedIOBase
from typing import Any

import orjson
import pytest

from scripts._devnet import addresses as at
from scripts._devnet.__main__ import Stop, Stopped
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import calldata
from scripts._devnet.exchanges import ExchangesOptions, jolting, running_exchanges
from scripts._devnet.prices import POOLS, PoolPrices
from scripts._devnet.rpc import Request, Rpc
from scripts._devnet.swaps_v3 import IN_SINGLE
from scripts._devnet.world import NEVER, units
from scripts._exchanges.book import Best
from scripts._exchanges.line import simulated_venue
from scripts._exchanges.listings import LISTINGS, SECOND_NS
from scripts._exchanges.market import stablecoin_price
from scripts._exchanges.venue import Venue
from tests.conftest import WAIT_SECONDS
from tests.processes import started

START_NS = 1_700_000_000 * SECOND_NS
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Whatever proxy the machine has."""


class Node(Rpc):
    """Answers with the pools' roots of prices, in the order of `POOLS`."""

    def __init__(self, ether: float, bitcoin: float) -> None:
        super().__init__("127.0.0.1", 1)
        self.set(ether, bitcoin)

    def set(self, ether: float, bitcoin: float) -> None:
        """Dollars of one ether, ethers of one bitcoin."""
        self.roots = [(10**12 / ether) ** 0.5, (bitcoin * 10**10) ** 0.5]

    def batch(self, requests: Iterable[Request]) -> list[Any]:
        assert len(list(requests)) == len(POOLS)
        return [f"0x{int(root * 2**96):064x}" + 6 * f"{0:064x}" for root in self.roots]


def dollars_of_ether(in_usdc: float, now_ns: int) -> float:
    return in_usdc * stablecoin_price("USDC", now_ns)


def test_prices_are_those_of_the_pools_in_dollars() -> None:
    prices = PoolPrices(Node(2_500, 24), START_NS)
    assert prices("ETH", START_NS) == pytest.approx(dollars_of_ether(2_500, START_NS))
    assert prices("BTC", START_NS) == pytest.approx(24 * prices("ETH", START_NS))
    assert 0.999 < prices("USDT", START_NS) < prices("USDC", START_NS) < 1.001


def test_price_goes_after_a_pool_that_has_moved() -> None:
    node = Node(2_500, 24)
    prices = PoolPrices(node, START_NS)
    node.set(2_600, 24)
    later_ns = START_NS + 10 * SECOND_NS
    assert prices("ETH", later_ns) == pytest.approx(dollars_of_ether(2_500, later_ns))
    prices.refresh(later_ns)
    gaps = [
        1 - prices("ETH", now_ns) / dollars_of_ether(2_600, now_ns) for now_ns in (later_ns + n * SECOND_NS for n in range(9))
    ]
    assert gaps[0] == pytest.approx(1 / 26)
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[1] < gaps[0] / 2
    assert gaps[8] < 1e-4


def test_refreshing_the_same_price_changes_nothing_on_the_way_there() -> None:
    node = Node(2_500, 24)
    prices, alone = PoolPrices(node, START_NS), PoolPrices(node, START_NS)
    node.set(2_400, 25)
    for each in (prices, alone):
        each.refresh(START_NS)
    for tenth in range(1, 30):
        now_ns = START_NS + tenth * SECOND_NS // 10
        prices.refresh(now_ns)
        assert [prices(asset, now_ns) for asset in POOLS] == [alone(asset, now_ns) for asset in POOLS]


def test_venues_leave_the_market_by_more_than_two_small_fees_now_and_then_and_stand_together_else() -> None:
    prices = PoolPrices(Node(2_500, 24), START_NS)
    listings = jolting({venue: listed[:1] for venue, listed in LISTINGS.items() if venue in ("binance", "okx", "bybit")})
    venues = [simulated_venue(name, 1, listings=listed, mid=prices, start_ns=START_NS) for name, listed in listings.items()]
    together, apart, moments = 0, 0, 600
    for moment in range(moments):
        bests = [best_at(venue, START_NS + moment * SECOND_NS // 4) for venue in venues]
        bid, ask = max(best.bid for best in bests), min(best.ask for best in bests)
        together += bid < ask
        apart += bid > ask * 1.002
    assert together > moments / 2
    assert 6 < apart < moments / 8


def best_at(venue: Venue, now_ns: int) -> Best:
    while venue.due_ns < now_ns:
        venue.step()
    return next(iter(venue.books.values())).best()


@pytest.fixture
def served(devnet: Devnet) -> Any:
    options = ExchangesOptions({venue: listed[:1] for venue, listed in LISTINGS.items()})
    with running_exchanges(devnet.anvil, options) as url:
        yield url


def binance_ether(url: str) -> float:
    """In tether, between bid and ask."""
    with DIRECT.open(f"{url}/binance/api/v3/depth?symbol=ETHUSDT&limit=5") as answer:
        book = orjson.loads(answer.read())
    return (float(book["bids"][0][0]) + float(book["asks"][0][0])) / 2


@pytest.mark.devnet
def test_exchanges_follow_a_swap_that_moves_the_devnets_pool(devnet: Devnet, served: str) -> None:
    assert binance_ether(served) == pytest.approx(2_500, rel=0.002)
    sell_ether(devnet, 20_000_000)
    wanted = PoolPrices(devnet.rpc, 0)("ETH", 0)
    assert wanted < 2_475
    deadline = time.monotonic() + WAIT_SECONDS
    while binance_ether(served) != pytest.approx(wanted, rel=0.002):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def sell_ether(devnet: Devnet, dollars: int) -> None:
    user = devnet.users[0]
    wanted = (at.WETH, at.USDC, 500, user, NEVER, units(at.WETH, dollars), 0, 0)
    body = {"from": user, "to": at.V3_ROUTER, "data": calldata(IN_SINGLE, wanted), "gas": hex(5_000_000)}
    hash_ = devnet.rpc.call("eth_sendTransaction", body)
    devnet.mine()
    assert devnet.rpc.call("eth_getTransactionReceipt", hash_)["status"] == "0x1"


def answers(url: str) -> bool:
    try:
        binance_ether(url)
    except OSError:
        return False
    return True


@pytest.mark.devnet
def test_end_of_the_node_ends_the_exchanges_and_is_told(devnet: Devnet) -> None:
    with pytest.raises((OSError, HTTPException)), running_exchanges(devnet.anvil, ExchangesOptions(jolting())) as url:  # noqa: PT012
        binance_ether(url)
        devnet.anvil.kill()
        deadline = time.monotonic() + WAIT_SECONDS
        while answers(url) and time.monotonic() < deadline:
            time.sleep(0.05)


def test_signal_that_came_while_a_stream_was_closed_is_heeded_at_the_next_check() -> None:
    stop = Stop()

    class Answer(BufferedIOBase):
        def close(self) -> None:
            stop(signal.SIGINT, None)

    held: list[Answer] = [Answer()]
    held.clear()  # nobody hears what is raised here
    with pytest.raises(Stopped, match="SIGINT"):
        stop.check()


@pytest.mark.devnet
def test_command_says_how_to_run_with_the_exchanges(devnet_packages: None) -> None:
    command = (sys.executable, "-m", "scripts._devnet", "--exchanges", "--port", "0", "--block-time", "1", "--rate", "0.01")
    with started(command) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "--rpc-url" in line)
        url = line.split()[-1]
        assert binance_ether(url) == pytest.approx(2_500, rel=0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WAIT_SECONDS)
    assert line.split()[1:3] == ["run", "--rpc-url"]
    assert line.split()[4:7] == ["--exchange", "all", "--server"]
    assert (process.returncode, "Traceback" in said) == (130, False)
