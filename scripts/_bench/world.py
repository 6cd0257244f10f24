"""Real frames and the pools that they were about, out of a capture or of mined blocks."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import msgspec
import orjson
from msgspec import Raw, Struct
from msgspec.structs import replace

from mempool.amm import curve_of
from mempool.amm.path import swap_path_exact_in
from mempool.decode import DecodeTables, decode_transaction
from mempool.detect.cycles import best_size, cycles_through
from mempool.engine.block_file import pool_states, read_block_file
from mempool.engine.books_capture import passes_over_books
from mempool.engine.core import Engine
from mempool.engine.listener import Listener
from mempool.engine.pool_wants import siblings
from mempool.engine.run import targets_of
from mempool.engine.turns import ReplayTurns
from mempool.errors import BadData
from mempool.feeds.capture import CaptureReader, Heard
from mempool.feeds.chain_reads import ChainReads
from mempool.feeds.connection import first_end
from mempool.feeds.events import NodeEvent
from mempool.feeds.frames import BlockFile, parse_transaction
from mempool.feeds.replay import ReplayFeed, ReplayOptions
from mempool.market import MarketView, view_of
from mempool.model.pool import PoolState
from mempool.model.swap import DecodedCall
from mempool.model.transaction import PendingTransaction
from mempool.simulate import simulate_call

_SUBSCRIPTION = re.compile(rb'(?<="subscription":")0x[0-9a-f]+')
_HASH = re.compile(rb'(?<="hash":"0x)[0-9a-f]{64}')
_SENDER = re.compile(rb'(?<="from":"0x)[0-9a-f]{40}')
SUBSCRIPTION = "0xbe0c4"
GAS_UNITS, TIP_WEI = 250_000, 1_000_000_000
"""What an arbitrage must pay for to be worth taking."""
MAX_ARBITRAGES = 200


class World(Struct, frozen=True):
    """Bodies as a node announces them: swaps that pass on their view in every market, and those that are no business of ours.

    `markets` holds for each market, by its name, one view a swap.
    """

    tables: DecodeTables
    swaps: tuple[bytes, ...]
    foreign: tuple[bytes, ...]
    markets: dict[str, tuple[MarketView, ...]]
    about: str

    def frames(self, count: int) -> list[bytes]:
        """Swaps and foreign transactions in turn; each its own transaction, by hash and sender, as an engine tells them apart."""
        pairs = islice(zip(cycle(self.swaps), cycle(self.foreign), strict=False), count // 2)
        return [_renamed(frame, number) for number, frame in enumerate(frame for pair in pairs for frame in pair)]


class _Announced(Struct, frozen=True):
    frame: bytes
    transaction: PendingTransaction
    call: DecodedCall | None


class _Params(Struct):
    result: Raw


class _Notification(Struct):
    params: _Params


_NOTIFICATION = msgspec.json.Decoder(_Notification)


def captured_world(path: Path, tables: DecodeTables) -> World:
    """The block of the capture at which most of its swaps would pass, as it is and after open arbitrages are taken there.

    Raises `CaptureError` where the capture cannot be read, `BadData` where it lacks swaps or other transactions.
    """
    announced = _announced(path, tables)
    recorded = max(asyncio.run(_views(path, tables)), key=lambda view: sum(_passes(each, view, tables) for each in announced))
    arbitraged = settled(recorded, tables.wrapped_native)
    swaps = tuple(each.frame for each in announced if all(_passes(each, view, tables) for view in (recorded, arbitraged)))
    foreign = tuple(each.frame for each in announced if each.call is None)
    if not swaps or not foreign:
        raise BadData(f"{path}: needs swaps to listed routers, and other transactions beside them")
    markets = {"arbitraged": (arbitraged,) * len(swaps), "as recorded": (recorded,) * len(swaps)}
    about = f"{path.name}: {len(swaps)} different swaps, {len(foreign)} others, {len(recorded.pools)} pools at one block"
    return World(tables, swaps, foreign, markets, about)


def mined_world(paths: Sequence[Path], tables: DecodeTables) -> World:
    """The transactions of mined blocks as they would have been announced, each on the pools before its block."""
    swaps: list[bytes] = []
    views: list[MarketView] = []
    foreign: list[bytes] = []
    for path in paths:
        block_file = read_block_file(path)
        view = _view_before(block_file, tables)
        for transaction, body in zip(block_file.block.transactions, _bodies(path), strict=True):
            each = _Announced(_frame(body), transaction, decode_transaction(tables, transaction))
            if each.call is None:
                foreign.append(each.frame)
            elif _passes(each, view, tables):
                swaps.append(each.frame)
                views.append(view)
    if not swaps or not foreign:
        raise BadData("the blocks have no swaps through listed routers on pools that they know")
    about = f"{len(paths)} mined blocks: {len(swaps)} different swaps, {len(foreign)} others, the pools before each block"
    return World(tables, tuple(swaps), tuple(foreign), {"": tuple(views)}, about)


def _view_before(block_file: BlockFile, tables: DecodeTables) -> MarketView:
    """All pools that the file knows of the pairs that its swaps go through, and of those that are always loaded."""
    calls = (decode_transaction(tables, transaction) for transaction in block_file.block.transactions)
    named = [pool for call in calls if call is not None for pool in call.pools.values()]
    pairs = {(pool.token0, pool.token1) for pool in (*named, *tables.preloaded)}
    identities = {pool.address: pool for pair in sorted(pairs) for pool in siblings(tables, *pair)}
    ref = block_file.block.ref
    before = replace(ref, number=ref.number - 1, hash=ref.parent_hash, parent_hash="", timestamp=ref.timestamp - 12)
    return view_of(before, pool_states(block_file.pre_state or {}, identities.values()))


def _bodies(path: Path) -> list[dict[str, object]]:
    bodies: list[dict[str, object]] = orjson.loads(gzip.decompress(path.read_bytes()))["block"]["transactions"]
    return bodies


def _frame(body: dict[str, object]) -> bytes:
    """The body as a node announces it before it is mined."""
    pending = body | {"blockHash": None, "blockNumber": None, "transactionIndex": None}
    params = {"subscription": SUBSCRIPTION, "result": pending}
    return orjson.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})


def _announced(path: Path, tables: DecodeTables) -> list[_Announced]:
    found = []
    with contextlib.closing(CaptureReader(str(path))) as reader:
        for entry in reader:
            if isinstance(entry, Heard) and b'"eth_subscription"' in entry.frame and b'"input"' in entry.frame:
                body = _NOTIFICATION.decode(entry.frame).params.result
                transaction = parse_transaction(bytes(body), entry.recv_ns, entry.source)
                frame = _SUBSCRIPTION.sub(SUBSCRIPTION.encode(), entry.frame, count=1)
                found.append(_Announced(frame, transaction, decode_transaction(tables, transaction)))
    return found


def _passes(announced: _Announced, view: MarketView, tables: DecodeTables) -> bool:
    """Whether all of the call's swaps would go through on the view."""
    call = announced.call
    if call is None or not call.intents:
        return False
    outcome = simulate_call(call, view, view.block.timestamp + tables.chain.slot_seconds)
    return not outcome.unknown and not any(result.reverts for result in outcome.results)


async def _views(path: Path, tables: DecodeTables) -> list[MarketView]:
    """The market after each block, with all pools that had been read before the next one."""
    views: dict[str, MarketView] = {}
    turns = ReplayTurns()
    engine = Engine(tables, lambda _: None)
    listener = Listener(engine, lambda _: None, turns)

    def watch(event: NodeEvent) -> None:
        if engine.head is not None:
            views[engine.head.hash] = engine.market.view()
        listener.handle(event)

    with contextlib.closing(CaptureReader(str(path))) as reader:
        feed = ReplayFeed(
            reader, watch, turns.on_mark, ReplayOptions(targets_of(tables), others=passes_over_books(reader.header.about))
        )
        with contextlib.suppress(_Ended):
            await first_end(listener.run(feed.request, ChainReads(feed.request)), _play(feed))
    return list(views.values())


async def _play(feed: ReplayFeed) -> None:
    await feed.run()
    raise _Ended


class _Ended(Exception):
    """The capture has been played to its end."""


def _renamed(frame: bytes, number: int) -> bytes:
    return _SENDER.sub(b"%040x" % (number + 1), _HASH.sub(b"%064x" % (number + 1), frame, count=1), count=1)


def settled(view: MarketView, native: bytes) -> MarketView:
    """The view after the arbitrages that stand open on it are taken, as somebody always does where that pays for the gas."""
    gas_wei = GAS_UNITS * (view.block.base_fee_per_gas_wei + TIP_WEI)
    for _ in range(MAX_ARBITRAGES):
        best = max(_open_arbitrages(view, native), key=lambda found: found[0], default=None)
        if best is None or best[0] <= gas_wei:
            break
        view = view.overlay(best[1])
    return view


def _open_arbitrages(view: MarketView, native: bytes) -> Iterator[tuple[int, dict[bytes, PoolState]]]:
    """The gain in the native token of each cycle through it, and the pools after it."""
    for address in view.pools_with(native):
        pool = view.pool(address)
        for found in cycles_through(view, pool) if pool else ():
            entered = found.starting_from(native)
            states = [state for state in map(view.pool, entered.pools) if state is not None]
            curves = [curve_of(state, token) for state, token in zip(states, entered.tokens, strict=True)]
            size = best_size(states, entered, curves)
            if size.profit:
                swaps = swap_path_exact_in(states, entered.tokens, size.amount_in)
                yield size.profit, {swap.after.address: swap.after for swap in swaps}
