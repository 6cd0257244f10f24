"""Calldata to intents with their pools, beside eth-abi with known types, web3 with the ABI, and the router decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from mempool.decode import DecodeTables, decode
from mempool.resources import load_tables, read_abis
from scripts._bench.calls import CASES, ETH_ABI, ROUTER_DECODER, SENDER, WEB3, Case, fresh_tokens, known_tokens
from scripts._bench.figures import OURS, Contestant, Options, Row, Section, race
from scripts._bench.mined_calls import mined_calls
from scripts._bench.peer import Abis, KnownTypes, Web3Router
from scripts._bench.router_decoder import RouterDecoder, router_decoder

ROUNDS, QUICK_ROUNDS = 7, 1
CALLS, QUICK_CALLS = 1_000, 20
SLOWER, SLOWEST = 10, 50
"""How many times fewer calls the slower contestants get in a round."""

NOTES = (
    "ours: mempool.decode.decode, to intents with their pools; the hops are there, unless with new tokens",
    "eth-abi: decode to plain values, told the types; web3: decode_function_input, given the ABI",
    "both are told the types of the Universal Router's commands, of which neither knows, but for permits, which no swap needs",
)
QUICK_NOTE = "router-decoder is not measured with --quick"
MINED_NOTE = "mined: the first such call of the recorded blocks; the others are made up"
NOT_MINED_NOTE = "no recorded blocks, so all calls are made up"


class Work(Struct, frozen=True):
    """One call as it is measured; `runs_commands` are those of a Universal Router."""

    name: str
    router: bytes
    table: str
    calldata: bytes
    value_wei: int
    sender: bytes
    expected: Mapping[str, float]

    @property
    def runs_commands(self) -> bool:
        return "UniversalRouter" in self.table


class Bench(Struct, frozen=True):
    """What all rows share. `decoder` is the router decoder, if it runs."""

    tables: DecodeTables
    abis: Abis
    rounds: int
    calls: int
    decoder: RouterDecoder | None = None


def measure(options: Options) -> list[Section]:
    if options.quick:
        return [_section(options, None, QUICK_NOTE)]
    with router_decoder() as peer:
        if isinstance(peer, str):
            return [_section(options, None, peer)]
        return [_section(options, peer, "router-decoder: uniswap-universal-router-decoder, in its own environment and process")]


def _section(options: Options, decoder: RouterDecoder | None, about_decoder: str) -> Section:
    rounds, calls = (QUICK_ROUNDS, QUICK_CALLS) if options.quick else (ROUNDS, CALLS)
    bench = Bench(load_tables(), read_abis(), rounds, calls, decoder)
    mined = list(_mined(options, bench.tables))
    works = [*mined, *map(_made_up, CASES)]
    rows = [_row(work, bench) for work in works]
    cold = [_cold_row(case, bench) for case in CASES]
    notes = (*NOTES, MINED_NOTE if mined else NOT_MINED_NOTE, about_decoder, *_decoded_notes(works, decoder))
    return Section("calldata -> SwapIntent", "call", (*rows, *cold), notes)


def _mined(options: Options, tables: DecodeTables) -> Iterator[Work]:
    abi_of = {router.name: router.abi for router in tables.chain.routers}
    for shape, transaction in mined_calls(options.blocks, tables):
        to, data, value_wei, sender = transaction.to or b"", transaction.calldata, transaction.value_wei, transaction.sender
        yield Work(shape.work, to, abi_of[shape.router], data, value_wei, sender, shape.expected)


def _made_up(case: Case) -> Work:
    return Work(case.work, case.router, case.table, case.calldata(known_tokens()), 0, SENDER, case.expected)


def _row(work: Work, bench: Bench) -> Row:
    _check(work, bench.tables)
    return Row(work.name, race(_contestants(work, bench), bench.rounds), work.expected)


def _contestants(work: Work, bench: Bench) -> Iterator[Contestant]:
    tables, router, calldata, value_wei, sender = bench.tables, work.router, work.calldata, work.value_wei, work.sender
    calls, few, fewest = bench.calls, max(bench.calls // SLOWER, 1), max(bench.calls // SLOWEST, 1)
    known, web3, decoder = KnownTypes(work.table, bench.abis), Web3Router(work.table, bench.abis), bench.decoder
    yield Contestant(OURS, lambda: _repeat(calls, lambda: decode(tables, router, calldata, value_wei, sender)), calls)
    yield Contestant(ETH_ABI, lambda: _repeat(few, lambda: known.decode(calldata)), few)
    yield Contestant(WEB3, lambda: _repeat(fewest, lambda: web3.decode(calldata)), fewest)
    if decoder is not None and work.runs_commands:
        yield Contestant(ROUTER_DECODER, _nothing, fewest, seconds=lambda: decoder.seconds(calldata, fewest))


def _cold_row(case: Case, bench: Bench) -> Row:
    """Ours on paths that it has never met: the pool addresses are hashed (CREATE2) and the hops made."""
    few = max(bench.calls // SLOWER, 1)
    known = KnownTypes(case.table, bench.abis)
    fresh: list[bytes] = []

    def prepare() -> None:
        fresh[:] = [case.calldata(fresh_tokens()) for _ in range(few)]

    contestants = (
        Contestant(OURS, lambda: [decode(bench.tables, case.router, each, 0, SENDER) for each in fresh], few, prepare),
        Contestant(ETH_ABI, lambda: [known.decode(each) for each in fresh], few, prepare),
    )
    return Row(f"{case.work}, new tokens", race(contestants, bench.rounds))


def _decoded_notes(works: list[Work], decoder: RouterDecoder | None) -> Iterator[str]:
    """How much of each call the router decoder makes out: what it cannot, it hands back undecoded."""
    if decoder is not None:
        counts = {work.name: decoder.known(work.calldata) for work in works if work.runs_commands}
        yield "commands that it decodes: " + ", ".join(f"{known} of {all_} ({name})" for name, (known, all_) in counts.items())


def _check(work: Work, tables: DecodeTables) -> None:
    """The call means a swap to us, or there is nothing to measure."""
    call = decode(tables, work.router, work.calldata, work.value_wei, work.sender)
    if call is None or not call.intents:
        raise AssertionError(f"{work.name}: decoded to {call}")


def _repeat(times: int, work: Callable[[], object]) -> None:
    for _ in range(times):
        work()


def _nothing() -> None:
    pass
