"""What `mempool decode` prints of a call: one object of `mempool.decode/1`, or a tree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mempool.model.display import display, format_amount, short_address
from mempool.model.swap import BalanceIn, DecodedCall, ExactIn, ExactOut, Hop, Size, SwapIntent

if TYPE_CHECKING:
    from rich.tree import Tree

    from mempool.decode import DecodeTables

SCHEMA = "mempool.decode/1"
_LAST_YEAR_SHOWN = 2**33


def record(transaction_hash: str, call: DecodedCall) -> dict[str, Any]:
    """The line for one call. Amounts are decimal text, since JSON numbers lose digits; addresses and hashes are hex or null."""
    return {
        "schema": SCHEMA,
        "hash": transaction_hash or None,
        "router": call.router or None,
        "selector": _hex(call.selector),
        "completeness": str(call.completeness),
        "commands": call.commands,
        "intents": [_intent(intent) for intent in call.intents],
        "extra_bytes": call.extra_bytes,
        "reason": call.reason,
    }


def tree(tables: DecodeTables, transaction_hash: str, call: DecodedCall) -> Tree:
    """The same for people: tokens by symbol where they are listed, amounts in whole tokens."""
    from rich.text import Text
    from rich.tree import Tree

    labels = {router.name: router.label for router in tables.routers.values()}
    title = Text(display(transaction_hash, 66) + "  " if transaction_hash else "")
    title.append(labels.get(call.router, "no listed router"), "bold").append(f"  {call.completeness.replace('_', ' ')}")
    root = Tree(title)
    if call.reason:
        root.add(Text(display(call.reason, 400)))
    if call.commands:
        root.add(Text(" > ".join(call.commands)))
    if call.extra_bytes:
        root.add(Text(f"{call.extra_bytes} bytes after its end"))
    for intent in call.intents:
        _add_intent(root, tables, intent)
    return root


def _intent(intent: SwapIntent) -> dict[str, Any]:
    size = intent.size
    return {
        "function": intent.function,
        "completeness": str(intent.completeness),
        "hops": [_hop(hop) for hop in intent.hops],
        "size": _size(size),
        "limit": str(size.max_amount_in if isinstance(size, ExactOut) else size.min_amount_out),
        "sqrt_price_limit_x96": str(intent.sqrt_price_limit_x96) if intent.sqrt_price_limit_x96 else None,
        "recipient": _hex(intent.recipient),
        "deadline": intent.deadline,
        "allow_revert": intent.allow_revert,
        "measures_received": intent.measures_received,
        "reason": intent.reason,
    }


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "protocol": hop.protocol,
        "token_in": _hex(hop.token_in),
        "token_out": _hex(hop.token_out),
        "pool": _hex(hop.pool),
        "fee": hop.fee_pips,
    }


def _size(size: Size) -> dict[str, Any]:
    """A balance has an amount where the call alone fixes it; else the outputs of the intents `sources` come on top of `held`."""
    if isinstance(size, ExactIn):
        return {"kind": "exact_in", "amount": str(size.amount_in)}
    if isinstance(size, ExactOut):
        return {"kind": "exact_out", "amount": str(size.amount_out)}
    amount = str(size.held_wei) if size.held_wei and not size.sources else None
    return {"kind": "balance_in", "amount": amount, "held": str(size.held_wei), "sources": size.sources}


def _hex(data: bytes) -> str | None:
    return f"0x{data.hex()}" if data else None


def _add_intent(root: Tree, tables: DecodeTables, intent: SwapIntent) -> None:
    from rich.text import Text

    node = root.add(Text(f"{intent.function}: ").append(_sentence(tables, intent), "bold"))
    for hop in intent.hops:
        pool = f"pool 0x{hop.pool.hex()}" if hop.pool else "pool unknown"
        route = f"{_symbol(tables, hop.token_in)} -> {_symbol(tables, hop.token_out)}"
        fee = "" if hop.fee_pips is None else f" {hop.fee_pips / 10_000:g} %"
        node.add(Text(f"{hop.protocol}{fee}  {route}  {pool}"))
    node.add(Text(f"to 0x{intent.recipient.hex()}{_deadline(intent.deadline)}{', may fail' if intent.allow_revert else ''}"))
    if intent.reason:
        node.add(Text(f"{intent.completeness.replace('_', ' ')}: {display(intent.reason, 400)}"))


def _sentence(tables: DecodeTables, intent: SwapIntent) -> str:
    size = intent.size
    if isinstance(size, ExactOut):
        bought, paid = _amount(tables, intent.token_out, size.amount_out), _amount(tables, intent.token_in, size.max_amount_in)
        return f"buy {bought} for at most {paid}"
    least = _amount(tables, intent.token_out, size.min_amount_out)
    sold = _amount(tables, intent.token_in, size.amount_in) if isinstance(size, ExactIn) else _balance(tables, intent, size)
    return f"sell {sold} for at least {least}"


def _balance(tables: DecodeTables, intent: SwapIntent, size: BalanceIn) -> str:
    parts = [f"what swap {source + 1} gives" for source in size.sources]
    if size.held_wei:
        parts.append(_amount(tables, intent.token_in, size.held_wei))
    return " and ".join(parts) or f"an unknown balance of {_symbol(tables, intent.token_in)}"


def _amount(tables: DecodeTables, token: bytes, amount: int) -> str:
    listed = tables.tokens.get(token)
    if listed is None:
        return f"{amount} units of {short_address(token)}"
    return f"{format_amount(amount, listed.decimals)} {listed.symbol}"


def _symbol(tables: DecodeTables, token: bytes) -> str:
    listed = tables.tokens.get(token)
    return f"0x{token.hex()}" if listed is None else listed.symbol


def _deadline(deadline: int | None) -> str:
    if deadline is None:
        return ""
    if deadline >= _LAST_YEAR_SHOWN:
        return ", no deadline to speak of"
    return f", until {datetime.fromtimestamp(deadline, UTC):%Y-%m-%d %H:%M:%S} UTC"
