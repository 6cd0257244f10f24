"""The simulated exchanges beside a devnet, on a thread of their own: their prices follow its pools."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from scripts._devnet.anvil import HOST, Anvil
from scripts._devnet.prices import PoolPrices
from scripts._devnet.rpc import Rpc
from scripts._exchanges.faults import Fault
from scripts._exchanges.listings import LISTINGS, Listing
from scripts._exchanges.market import PRICES, STABLECOINS
from scripts._exchanges.server import exchange_server

REFRESH_S = 0.2
JOLT_BPS = 32.0
"""By which each venue leaves the pools' price now and then: further than two takers' fees of a tenth of a percent."""
CALM_SPREAD_BPS, CALM_SWAY_BPS = 1.5, 0.3
"""Of the time between, roughly: the venues do not cross each other then."""


class ExchangesOptions(Struct, frozen=True):
    """`port` 0 is any."""

    listings: Mapping[str, Sequence[Listing]]
    faults: Mapping[str, Sequence[Fault]] = {}
    seed: int = 1
    port: int = 0


def jolting(listings: Mapping[str, Sequence[Listing]] = LISTINGS) -> dict[str, list[Listing]]:
    """The same, near each other but for some jolts that leave more than takers' fees; the rates between dollars as they were."""
    return {
        venue: [each if each.base in STABLECOINS else _jolting(each) for each in listed] for venue, listed in listings.items()
    }


def _jolting(listing: Listing) -> Listing:
    ticks = int(PRICES[listing.base] * 10**listing.price_decimals * CALM_SPREAD_BPS / 10_000)
    return replace(listing, jolt_bps=JOLT_BPS, sway_bps=CALM_SWAY_BPS, offset_bps=0.0, spread_ticks=max(ticks // listing.tick, 1))


@contextmanager
def running_exchanges(node: Anvil, options: ExchangesOptions) -> Iterator[str]:
    """All venues of `options.listings` until the end; their address, below which each has its name.

    What ended them before (the node's end, as `OSError` or `HTTPException`) is raised at the end of an undisturbed body.
    """
    ready: Future[str] = Future()
    stopping = Event()
    with ThreadPoolExecutor(1, "exchanges") as threads:
        serving = threads.submit(asyncio.run, _serve(node.port, options, ready, stopping))
        begun: tuple[Future[Any], ...] = (ready, serving)
        try:
            wait(begun, return_when=FIRST_COMPLETED)
            if serving.done():
                serving.result()
            yield ready.result()
        finally:
            stopping.set()
        serving.result()


async def _serve(node_port: int, options: ExchangesOptions, ready: Future[str], stopping: Event) -> None:
    rpc = Rpc(HOST, node_port)
    try:
        prices = PoolPrices(rpc, time.time_ns())
        async with exchange_server(
            *options.listings,
            seed=options.seed,
            faults=options.faults,
            mid=prices,
            listings=options.listings,
            port=options.port,
        ) as server:
            ready.set_result(f"http://{HOST}:{server.port}")
            while not stopping.is_set():
                await asyncio.sleep(REFRESH_S)
                await asyncio.to_thread(prices.refresh, time.time_ns())
    finally:
        rpc.close()
