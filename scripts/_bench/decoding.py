"""Calldata to a swap's arguments: ours to intents with their pools, beside eth-abi with known types and web3 with the ABI."""

from __future__ import annotations

from collections.abc import Callable

from mempool.decode import DecodeTables, decode
from mempool.resources import load_tables, read_abis
from scripts._bench.calls import (
    CASES,
    SENDER,
    Case,
    fresh_tokens,
    known_tokens,
)
from scripts._bench.figures import OURS, Contestant, Options, Row, Section, race
from scripts._bench.peer import Web3Router

ROUNDS, QUICK_ROUNDS = 7, 1
CALLS, QUICK_CALLS = 1_000, 20
SLOWER, SLOWEST = 10, 50
"""How many times fewer calls the slower contestants get in a round."""


NOTES = (
    "ours: mempool.decode.decode, to intents with their pools; the hops are there, unless with new tokens",
    "eth-abi: decode to plain values, told the types; web3: decode_function_input, given the ABI",
    "both are told the types of the Universal Router's commands, of which neither knows",
)


def measure(options: Options) -> list[Section]:
    tables = load_tables()
    rounds, calls = (QUICK_ROUNDS, QUICK_CALLS) if options.quick else (ROUNDS, CALLS)
    rows = [_row(case, tables, rounds, calls) for case in CASES]
    cold = [_cold_row(case, tables, rounds, calls) for case in CASES]
    return [Section("calldata -> SwapIntent", "call", (*rows, *cold), NOTES)]


def _row(case: Case, tables: DecodeTables, rounds: int, calls: int) -> Row:
    calldata = case.calldata(known_tokens())
    _check(case, tables, calldata)
    few, fewest = max(calls // SLOWER, 1), max(calls // SLOWEST, 1)
    peer = Web3Router(case.table, read_abis())
    contestants = (
        Contestant(OURS, lambda: _repeat(calls, lambda: decode(tables, case.router, calldata, 0, SENDER)), calls),
        Contestant("eth-abi", lambda: _repeat(few, lambda: case.read_known_types(calldata)), few),
        Contestant("web3", lambda: _repeat(fewest, lambda: peer.decode(calldata)), fewest),
    )
    return Row(case.work, race(contestants, rounds), case.expected)


def _cold_row(case: Case, tables: DecodeTables, rounds: int, calls: int) -> Row:
    """Ours on paths that it has never met: the pool addresses are hashed (CREATE2) and the hops made."""
    few = max(calls // SLOWER, 1)
    fresh: list[bytes] = []

    def prepare() -> None:
        fresh[:] = [case.calldata(fresh_tokens()) for _ in range(few)]

    contestants = (
        Contestant(OURS, lambda: [decode(tables, case.router, each, 0, SENDER) for each in fresh], few, prepare),
        Contestant("eth-abi", lambda: [case.read_known_types(each) for each in fresh], few, prepare),
    )
    return Row(f"{case.work}, new tokens", race(contestants, rounds))


def _check(case: Case, tables: DecodeTables, calldata: bytes) -> None:
    """The call means a swap to us, or there is nothing to measure."""
    call = decode(tables, case.router, calldata, 0, SENDER)
    if call is None or not call.intents:
        raise AssertionError(f"{case.work}: decoded to {call}")


def _repeat(times: int, work: Callable[[], object]) -> None:
    for _ in range(times):
        work()
