"""`mempool simulate`: what one call would do, on a block file's pools or a node's."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mempool.cli.decode import (
    fetch,
    json_text,
    name_pools,
    read_transaction,
    refuse_parts_of_a_whole,
    transaction_given,
)
from mempool.cli.decoded import time_text
from mempool.cli.labels import label
from mempool.errors import ConfigError, UsageError
from mempool.model.display import display, format_amount, short_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mempool.decode import DecodeTables
    from mempool.engine.single_shot import Shot
    from mempool.model.swap import DecodedCall, HopResult, SwapResult
    from mempool.model.transaction import PendingTransaction
    from mempool.simulate import CallResult

SCHEMA = "mempool.simulate/1"
HASH = re.compile(r"0x[0-9a-f]{64}")
PERCENT_DIGITS = 4


def simulate_command(
    call: Annotated[
        str,
        typer.Argument(metavar="CALL", help="Calldata in hex (with --to), a transaction's JSON, a file with one, a hash, or -."),
    ],
    to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The router that is called with the calldata.")] = None,
    value: Annotated[str, typer.Option(metavar="WEI", help="Value sent, decimal or 0x hex.")] = "0",
    sender: Annotated[str | None, typer.Option("--from", metavar="ADDRESS", help="The sender; default: nobody.")] = None,
    block_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Simulate on this block file's pre_state.")] = None,
    rpc_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Simulate on this node's newest block. Default: ETH_RPC_URL.")
    ] = None,
    chain: Annotated[str, typer.Option(metavar="NAME", help="The chain's tables.")] = "ethereum",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON (schema mempool.simulate/1).")] = False,
) -> None:
    """Simulate one call's swaps hop by hop, to the wei: amounts, price impact, and whether it would revert.

    Only its own limits, its deadline and the pools are looked at, not balances or allowances. A hash is looked up in the block
    file, or at the node. Where a pool or a part of it is not known the intent is named, and the exit code is 1.

    \b
    Examples:
      mempool simulate 0x38ed1739… --to 0x7a25… --block-file 18085863.json.gz
      ETH_RPC_URL=wss://host/key mempool simulate 0x5c50…   (a hash that the node knows)
    """
    from mempool.resources import load_tables

    tables = load_tables(chain)
    refuse_parts_of_a_whole(call, to, value, sender)
    transaction = find_transaction(call, block_file, rpc_url) if to is None else transaction_given(call, to, value, sender)
    if block_file is None:
        name_pools(tables, transaction, rpc_url)
    decoded = decode_swaps(tables, transaction)
    shot = shoot(decoded, tables, block_file, rpc_url)
    if as_json:
        import orjson

        typer.echo(orjson.dumps(as_object(decoded, shot)).decode())
    else:
        for line in as_lines(decoded, shot, tables):
            typer.echo(line)
    if shot.result.unknown:
        raise typer.Exit(1)


def find_transaction(call: str, block_file: Path | None, rpc_url: str | None) -> PendingTransaction:
    """The transaction that is given as such, or whose hash is. Raises `BadData`, `UsageError`, `UpstreamError`."""
    if call == "-":
        return read_transaction(sys.stdin.buffer.read())
    if not HASH.fullmatch(call.lower()):
        return read_transaction(json_text(call))
    if block_file is None:
        return fetch(call.lower(), required(rpc_url))
    from mempool.engine.single_shot import transaction_of_file

    return transaction_of_file(block_file, call.lower())


def decode_swaps(tables: DecodeTables, transaction: PendingTransaction) -> DecodedCall:
    """Raises `UsageError` where the call is none of a listed router or asks for no swap, `MalformedCalldata`."""
    from mempool.decode import decode

    decoded = decode(tables, transaction.to, transaction.calldata, transaction.value_wei, transaction.sender)
    if decoded is None:
        to = "a new contract" if transaction.to is None else f"0x{transaction.to.hex()}"
        raise UsageError(f"{to} is no listed router of {tables.chain.name}")
    if not decoded.intents:
        raise UsageError(f"the call asks for no swap that can be simulated ({decoded.completeness}: {decoded.reason})")
    return decoded


def shoot(call: DecodedCall, tables: DecodeTables, block_file: Path | None, rpc_url: str | None) -> Shot:
    from mempool.engine.single_shot import simulate_on_file, simulate_on_node
    from mempool.feeds.endpoint import Endpoint

    if block_file is not None:
        return simulate_on_file(block_file, call)
    return simulate_on_node(Endpoint.parse(required(rpc_url)), call, tables)


def required(rpc_url: str | None) -> str:
    if not rpc_url:
        raise ConfigError("no pools to simulate on: set ETH_RPC_URL, or give --rpc-url URL or --block-file FILE")
    return rpc_url


def as_object(call: DecodedCall, shot: Shot) -> dict[str, Any]:
    """The line of `--json`: chain amounts are strings, price impacts are ratios for reading, not for counting."""
    result = shot.result
    block = result.after.block
    return {
        "schema": SCHEMA,
        "router": call.router,
        "completeness": call.completeness,
        "commands": call.commands,
        "block": {"number": block.number, "hash": block.hash},
        "timestamp": shot.timestamp,
        "would_revert": bool(result.reverts),
        "reverts": result.reverts,
        "intents": [{"index": index, **intent_object(each)} for index, each in result.by_intent()],
        "unknown": [
            {"index": index, "pool": f"0x{error.pool.hex()}", "missing": error.missing} for index, error in result.unknown
        ],
    }


def intent_object(result: SwapResult) -> dict[str, Any]:
    intent = result.intent
    return {
        "function": intent.function,
        "token_in": f"0x{intent.token_in.hex()}",
        "token_out": f"0x{intent.token_out.hex()}",
        "amount_in": str(result.amount_in),
        "amount_out": str(result.amount_out),
        "reverts": result.reverts,
        "hops": [hop_object(each) for each in result.hops],
    }


def hop_object(result: HopResult) -> dict[str, Any]:
    hop = result.hop
    return {
        "protocol": hop.protocol,
        "pool": f"0x{hop.pool.hex()}",
        "token_in": f"0x{hop.token_in.hex()}",
        "token_out": f"0x{hop.token_out.hex()}",
        "fee_pips": result.impact.fee_pips,
        "amount_in": str(result.amount_in),
        "amount_out": str(result.amount_out),
        "impact_with_fee": float(result.impact.with_fee),
        "impact_without_fee": float(result.impact.without_fee),
    }


def as_lines(call: DecodedCall, shot: Shot, tables: DecodeTables) -> Iterator[str]:
    """What a person reads."""
    result = shot.result
    yield f"{label(tables, call.router)}: {', '.join(call.commands)}"
    yield f"on the state after block {result.after.block.number:,}, at {time_text(shot.timestamp)}"
    for index, each in result.by_intent():
        bought = amount(tables, each.intent.token_out, each.amount_out)
        yield f"{index + 1}. {amount(tables, each.intent.token_in, each.amount_in)} -> {bought}"
        yield from (hop_line(tables, hop) for hop in each.hops)
        if each.reverts:
            yield f"   reverts{', which it may' if each.intent.allow_revert else ''}: {each.reverts}"
    for index, error in result.unknown:
        yield f"{index + 1}. not simulated: {error}"
    for failure in shot.failures:
        yield f"pool 0x{failure.pool.hex()}: {display(failure.reason, 200)}"
    yield verdict(result)
    yield "(by its limits, its deadline and the pools; balances and allowances are not looked at)"


def verdict(result: CallResult) -> str:
    if result.reverts:
        return f"would revert: {result.reverts}"
    return "would not revert" if not result.unknown else "whether it would revert is not known"


def hop_line(tables: DecodeTables, result: HopResult) -> str:
    hop, impact = result.hop, result.impact
    return (
        f"   {label(tables, hop.protocol)} 0x{hop.pool.hex()} {impact.fee_pips / 10_000:g} %: "
        f"{amount(tables, hop.token_in, result.amount_in)} -> {amount(tables, hop.token_out, result.amount_out)}, "
        f"impact {percent(float(impact.with_fee))} with the fee, {percent(float(impact.without_fee))} without"
    )


def percent(ratio: float) -> str:
    return f"{100 * ratio:.{PERCENT_DIGITS}f} %"


def amount(tables: DecodeTables, token: bytes, units: int) -> str:
    """In whole tokens for a listed one, else in smallest units with the address."""
    listed = tables.tokens.get(token)
    if listed is None:
        return f"{units:,} units of {short_address(token)}"
    return f"{format_amount(units, listed.decimals, digits=8)} {listed.symbol}"
