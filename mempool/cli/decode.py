"""`mempool decode`: what a call asks of a router, from calldata, a transaction's JSON, or a hash with a node."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from mempool.cli.console import stdout_console
from mempool.cli.decoded import record, tree
from mempool.errors import BadData, ConfigError, UsageError
from mempool.model.display import display
from mempool.model.swap import Completeness, DecodedCall
from mempool.model.transaction import PendingTransaction

if TYPE_CHECKING:
    from mempool.decode import DecodeTables

_HASH = re.compile(r"0x[0-9a-f]{64}")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_NO_DIGIT = re.compile("[^0-9a-fA-F]")
_NOBODY = bytes(20)
_WIDE = 1000
"""A tree is cut at the console's width, and a cut address is of no use: the terminal may wrap instead."""


class TransactionJson(msgspec.Struct, rename={"sender": "from"}):
    """The part of a transaction's JSON-RPC object that decoding uses; `input` goes before `data`."""

    to: str | None = None
    input: str | None = None
    data: str | None = None
    value: str | int = 0
    sender: str = ""
    hash: str | None = None


class Envelope(msgspec.Struct):
    """A JSON-RPC answer, as `curl` saves it."""

    result: TransactionJson


def decode_command(
    call: Annotated[
        str,
        typer.Argument(metavar="CALL", help="Calldata in hex (with --to), a transaction's JSON, a file with one, a hash, or -."),
    ],
    to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The contract that is called with the calldata.")] = None,
    value: Annotated[str, typer.Option(metavar="WEI", help="Value sent, decimal or 0x hex.")] = "0",
    sender: Annotated[str | None, typer.Option("--from", metavar="ADDRESS", help="The sender; default: nobody.")] = None,
    rpc_url: Annotated[
        str | None, typer.Option("--rpc-url", metavar="URL", help="The node that is asked for a hash. Default: ETH_RPC_URL.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line (schema mempool.decode/1).")] = False,
    chain: Annotated[str, typer.Option(metavar="NAME", help="The chain's tables.")] = "ethereum",
) -> None:
    """Say which swaps a call asks of a router.

    With - it reads one transaction object a line from standard input and prints a result for each, with --json one a line; a
    line that is no transaction gives a result that is malformed, says why, and makes the exit code 5 at the end. Calldata that
    its router would revert on is a result like any other.

    \b
    Examples:
      mempool decode 0x38ed1739… --to 0x7a250d5630b4cf539739df2c5dacb4c659f2488d
      mempool decode transaction.json
      mempool decode - --json < transactions.ndjson
      ETH_RPC_URL=wss://host mempool decode 0x<hash>
    """
    from mempool.resources import load_tables

    tables = load_tables(chain)
    refuse_parts_of_a_whole(call, to, value, sender)
    printer = Printer(tables, as_json=as_json)
    if call == "-":
        raise typer.Exit(decode_lines(printer))
    if to is not None:
        printer.show_transaction(transaction_given(call, to, value, sender))
    elif _HASH.fullmatch(call.lower()):
        transaction = fetch(call.lower(), rpc_url)
        name_pools(tables, transaction, rpc_url)
        printer.show_transaction(transaction)
    else:
        printer.show_transaction(read_transaction(json_text(call)))


def refuse_parts_of_a_whole(call: str, to: str | None, value: str, sender: str | None) -> None:
    """They describe calldata; a transaction or a hash has its own. Raises `UsageError`."""
    if (to is not None and call == "-") or (to is None and (value != "0" or sender is not None)):
        raise UsageError("--to, --value and --from go with calldata, --to always: a transaction says them itself")


class Printer:
    """Prints results to stdout in the chosen form."""

    def __init__(self, tables: DecodeTables, *, as_json: bool) -> None:
        self.tables = tables
        self.console = None if as_json else stdout_console()
        if self.console is not None:
            self.console.width = _WIDE

    def show_transaction(self, transaction: PendingTransaction) -> None:
        from mempool.decode import decode_transaction

        self.show(transaction.hash, decode_transaction(self.tables, transaction) or foreign(transaction))

    def show(self, transaction_hash: str, call: DecodedCall) -> None:
        if self.console is None:
            typer.echo(msgspec.json.encode(record(transaction_hash, call)))
        else:
            self.console.print(tree(self.tables, transaction_hash, call))


def decode_lines(printer: Printer) -> int:
    """Decode a transaction a line from stdin; the exit code. Empty lines are passed over."""
    code = 0
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        try:
            printer.show_transaction(read_transaction(line))
        except BadData as error:
            printer.show("", DecodedCall("", b"", Completeness.MALFORMED, reason=str(error)))
            code = BadData.exit_code
    return code


def foreign(transaction: PendingTransaction) -> DecodedCall:
    """The result for a call of something that the tables do not list."""
    if transaction.to is None:
        return DecodedCall("", b"", Completeness.NOT_A_SWAP, reason="creates a contract")
    if not transaction.calldata:
        return DecodedCall("", b"", Completeness.NOT_A_SWAP, reason="a plain transfer")
    reason = f"0x{transaction.to.hex()} is no router of the tables"
    return DecodedCall("", transaction.calldata[:4], Completeness.OPAQUE, reason=reason)


def json_text(call: str) -> bytes:
    """The JSON that the argument is or names. Raises `UsageError`."""
    if call.lstrip().startswith("{"):
        return call.encode()
    if _HEX.fullmatch(call):
        raise UsageError("calldata needs --to, the address of the contract that is called")
    try:
        return Path(call or "\0").read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "no name of a file"
        wanted = "give calldata in 0x hex with --to, a transaction's JSON or a file with it, a hash, or -"
        raise UsageError(f"{display(call, 60) or 'nothing'}: {reason}: {wanted}") from None


def read_transaction(raw: bytes) -> PendingTransaction:
    """A transaction object, or a JSON-RPC answer with one. Raises `BadData`."""
    try:
        return transaction_of(msgspec.json.decode(raw, type=Envelope).result)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return transaction_of(msgspec.json.decode(raw, type=TransactionJson))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadData(f"not a transaction object: {error}") from None


def transaction_given(call: str, to: str, value: str, sender: str | None) -> PendingTransaction:
    """The transaction that the argument and the options describe. Raises `UsageError`."""
    try:
        return transaction_of(TransactionJson(to, call, value=value, sender=sender or ""))
    except BadData as error:
        raise UsageError(str(error)) from None


def transaction_of(parts: TransactionJson) -> PendingTransaction:
    """The noun, whose unused fields are empty. Raises `BadData`."""
    calldata = parts.input if parts.input is not None else parts.data
    if calldata is None:
        raise BadData("not a transaction object: neither input nor data")
    known_hash = (parts.hash or "").lower()
    return PendingTransaction(
        hash=known_hash if _HASH.fullmatch(known_hash) else "",
        sender=address_of(parts.sender, "from") if parts.sender else _NOBODY,
        to=address_of(parts.to, "to") if parts.to else None,
        nonce=0,
        value_wei=wei_of(parts.value),
        gas_limit=0,
        max_fee_per_gas_wei=0,
        max_priority_fee_per_gas_wei=0,
        calldata=hex_of(calldata, "calldata"),
        recv_ns=0,
        source="",
    )


def hex_of(text: str, name: str) -> bytes:
    if not _HEX.fullmatch(text):
        raise BadData(f"{name}: {hex_problem(text)}: 0x and an even number of hex digits are wanted")
    return bytes.fromhex(text[2:])


def hex_problem(text: str) -> str:
    digits = text.removeprefix("0x")
    wrong = _NO_DIGIT.search(digits)
    if wrong:
        return f"{display(wrong[0])!r} is no hex digit"
    return "it does not begin with 0x" if digits == text else f"it has an odd number of digits, {len(digits):,}"


def address_of(text: str, name: str) -> bytes:
    address = hex_of(text, name)
    if len(address) != 20:
        raise BadData(f"{name}: an address has 20 bytes, this has {len(address)}")
    return address


def wei_of(value: str | int) -> int:
    try:
        amount = value if isinstance(value, int) else int(value, 16 if value.startswith("0x") else 10)
    except ValueError:
        amount = -1
    if not 0 <= amount < 1 << 256:
        raise BadData(f"value: {display(str(value))!r} is no amount of wei: a whole number is wanted, decimal or 0x hex")
    return amount


def fetch(transaction_hash: str, rpc_url: str | None) -> PendingTransaction:
    """The transaction as a node knows it. Raises `ConfigError` without one."""
    import asyncio

    from mempool.feeds.endpoint import Endpoint
    from mempool.feeds.rest import fetch_transaction

    if not rpc_url:
        raise ConfigError("a hash needs a node: set ETH_RPC_URL, or give --rpc-url")
    return asyncio.run(fetch_transaction(Endpoint.parse(rpc_url), transaction_hash))


def name_pools(tables: DecodeTables, transaction: PendingTransaction, rpc_url: str | None) -> None:
    """Where the call names pools by address alone, let the node say of which tokens they are."""
    from mempool.decode import decode_transaction
    from mempool.decode.found_pools import unnamed_pools

    call = decode_transaction(tables, transaction)
    if rpc_url and call is not None and unnamed_pools(call):
        from mempool.engine.single_shot import learn_pools
        from mempool.feeds.endpoint import Endpoint

        learn_pools(Endpoint.parse(rpc_url), tables, transaction)
