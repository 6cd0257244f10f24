"""What `mempool decode` prints of a call: one object of `mempool.decode/1`, or a tree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mempool.cli.labels import label
from mempool.model.display import display, format_amount, short_address
from mempool.model.swap import ALL, BalanceIn, Completeness, DecodedCall, ExactIn, ExactOut, Hop, Size, SwapIntent, Take

if TYPE_CHECKING:
    from rich.tree import Tree

    from mempool.decode import DecodeTables

SCHEMA = "mempool.decode/1"
NATIVE, NATIVE_DECIMALS = bytes(20), 18
DYNAMIC_FEE = 0x800000
"""What a V4 pool's key holds where its hooks set the fee."""
UNLIMITED = 2**255
"""Limits of this size and above are none."""
_LAST_YEAR_SHOWN = 2**33


def record(transaction_hash: str, call: DecodedCall) -> dict[str, Any]:
    """The line for one call. Amounts are decimal text, since JSON numbers lose digits; addresses and hashes are hex or null."""
    return {
        "schema": SCHEMA,
        "hash": transaction_hash or None,
        "router": call.router or None,
        "selector": _hex(call.selector),
        "completeness": str(call.completeness),
        "by_selector": call.by_selector,
        "commands": call.commands,
        "steps": [_step(call, index) for index in range(len(call.steps))],
        "intents": [_intent(intent) for intent in call.intents],
        "joint_minimums": [_joint_minimum(minimum) for minimum in call.joint_minimums],
        "extra_bytes": call.extra_bytes,
        "reason": call.reason,
    }


def tree(tables: DecodeTables, transaction_hash: str, call: DecodedCall) -> Tree:
    """The same for people: the calls as they nest, tokens by symbol where they are listed, amounts in whole tokens."""
    from rich.text import Text
    from rich.tree import Tree

    from mempool.cli.tree_line import TreeLine

    title = Text(display(transaction_hash, 66) + "  " if transaction_hash else "")
    title.append(label(tables, call.router) or "no listed router", "bold")
    root = Tree(title.append(f"  {_words(call.completeness)}"))
    if call.reason:
        root.add(TreeLine(display(call.reason, 400)))
    if call.by_selector:
        root.add(TreeLine("read by its selector alone: the contract is not listed, and may mean something else"))
    if call.extra_bytes:
        root.add(TreeLine(f"{call.extra_bytes} bytes after its end"))
    _add_steps(root, tables, call)
    for minimum in call.joint_minimums:
        root.add(TreeLine(f"together: {_joint_sentence(tables, call, minimum)}"))
    return root


def own_intents(call: DecodedCall, step_index: int) -> range:
    """The numbers of the intents that a step itself asks for, from 0."""
    steps, following = call.steps, step_index + 1
    last = steps[following].first_intent if following < len(steps) else len(call.intents)
    return range(steps[step_index].first_intent, last)


def _step(call: DecodedCall, index: int) -> dict[str, Any]:
    step = call.steps[index]
    return {"depth": step.depth, "contract": step.contract or None, "name": step.name, "intents": list(own_intents(call, index))}


def _intent(intent: SwapIntent) -> dict[str, Any]:
    size = intent.size
    return {
        "router": intent.router,
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
    """A V4 pool by its key; `pool` is then the key's hash, by which its logs name it."""
    parts: dict[str, Any] = {
        "protocol": hop.protocol,
        "token_in": _hex(hop.token_in),
        "token_out": _hex(hop.token_out),
        "pool": _hex(hop.pool),
        "fee": hop.fee_pips,
    }
    if hop.hooks:
        currency0, currency1 = sorted((hop.token_in, hop.token_out))
        parts["pool_key"] = {
            "currency0": _hex(currency0),
            "currency1": _hex(currency1),
            "fee": DYNAMIC_FEE if hop.fee_pips is None else hop.fee_pips,
            "tick_spacing": hop.tick_spacing,
            "hooks": _hex(hop.hooks),
        }
    if hop.zero_for_one is not None:
        parts["zero_for_one"] = hop.zero_for_one
    return parts


def _size(size: Size) -> dict[str, Any]:
    """A balance has an amount where the call alone fixes it; else it is the `share` of `held`, less what `takes` took, and of
    what the intents `sources` bring."""
    if isinstance(size, ExactIn):
        return {"kind": "exact_in", "amount": str(size.amount_in)}
    if isinstance(size, ExactOut):
        return {"kind": "exact_out", "amount": str(size.amount_out)}
    amount = str(size.amount_in(0)) if size.held_wei and not size.sources else None
    balance: dict[str, Any] = {"held": str(size.held_wei), "sources": size.sources}
    if size.takes or size.share != ALL:
        balance |= {"takes": [_take(take) for take in size.takes], "share": _take(size.share)}
    return {"kind": "exact_in", "amount": amount, "balance": balance}


def _take(take: Take) -> dict[str, str]:
    return {"wei": str(take.wei), "numerator": str(take.numerator), "denominator": str(take.denominator)}


def _joint_minimum(minimum: BalanceIn) -> dict[str, Any]:
    return {"minimum": str(minimum.min_amount_out), "held": str(minimum.held_wei), "sources": minimum.sources}


def _hex(data: bytes) -> str | None:
    return f"0x{data.hex()}" if data else None


def _words(completeness: Completeness) -> str:
    return completeness.replace("_", " ")


def _add_steps(root: Tree, tables: DecodeTables, call: DecodedCall) -> None:
    """Each step below the last one that is less deep than it."""
    from mempool.cli.tree_line import TreeLine

    open_nodes: list[tuple[int, Tree]] = [(-1, root)]
    for index, step in enumerate(call.steps):
        while open_nodes[-1][0] >= step.depth:
            open_nodes.pop()
        contract = label(tables, step.contract)
        name = display(step.name, 200)
        node = open_nodes[-1][1].add(TreeLine(f"{contract}: {name}" if contract and step.depth else name))
        open_nodes.append((step.depth, node))
        for number in own_intents(call, index):
            _add_intent(node, tables, call.intents[number], number)


def _add_intent(parent: Tree, tables: DecodeTables, intent: SwapIntent, number: int) -> None:
    from mempool.cli.tree_line import TreeLine

    node = parent.add(TreeLine(f"swap {number + 1}: ", _sentence(tables, intent)))
    for hop in intent.hops:
        fee = "" if hop.fee_pips is None else f" {hop.fee_pips / 10_000:g} %"
        route = f"{_symbol(tables, hop.token_in)} -> {_symbol(tables, hop.token_out)}"
        pool = f"pool 0x{hop.pool.hex()}" if hop.pool else "pool unknown"
        node.add(TreeLine(f"{hop.protocol or 'hidden'}{fee}  {route}  {pool}"))
    recipient = f"to 0x{intent.recipient.hex()}" if intent.recipient else "recipient unknown"
    node.add(TreeLine(f"{recipient}{_deadline(intent.deadline)}{', may fail' if intent.allow_revert else ''}"))
    if intent.reason:
        node.add(TreeLine(f"{_words(intent.completeness)}: {display(intent.reason, 400)}"))


def _sentence(tables: DecodeTables, intent: SwapIntent) -> str:
    size = intent.size
    if isinstance(size, ExactOut):
        bought, paid = _amount(tables, intent.token_out, size.amount_out), _amount(tables, intent.token_in, size.max_amount_in)
        return f"buy {bought} for at most {paid}"
    least = _amount(tables, intent.token_out, size.min_amount_out)
    sold = _amount(tables, intent.token_in, size.amount_in) if isinstance(size, ExactIn) else _balance(tables, intent, size)
    return f"sell {sold} for at least {least}"


def _balance(tables: DecodeTables, intent: SwapIntent, size: BalanceIn) -> str:
    share = (
        f"{100 * size.share.numerator / size.share.denominator:g} % of " if size.share.numerator != size.share.denominator else ""
    )
    rest = "what is left of " if size.takes else ""
    return f"{share}{rest}{_held(tables, intent.token_in, size)}"


def _held(tables: DecodeTables, token: bytes, size: BalanceIn) -> str:
    parts = [f"what swap {source + 1} gives" for source in size.sources]
    if size.held_wei:
        parts.append(_amount(tables, token, size.held_wei))
    return " and ".join(parts) or f"an unknown balance of {_symbol(tables, token)}"


def _joint_sentence(tables: DecodeTables, call: DecodedCall, minimum: BalanceIn) -> str:
    token = call.intents[minimum.sources[-1]].token_out
    return f"{_held(tables, token, minimum)} must be at least {_amount(tables, token, minimum.min_amount_out)}"


def _amount(tables: DecodeTables, token: bytes, amount: int) -> str:
    if amount >= UNLIMITED:
        return f"any amount of {_symbol(tables, token)}"
    if token == NATIVE:
        return f"{format_amount(amount, NATIVE_DECIMALS)} {tables.chain.native_symbol}"
    listed = tables.tokens.get(token)
    if listed is None:
        return f"{amount:,} units of {short_address(token) if token else 'an unknown token'}"
    return f"{format_amount(amount, listed.decimals)} {listed.symbol}"


def _symbol(tables: DecodeTables, token: bytes) -> str:
    if token == NATIVE:
        return tables.chain.native_symbol
    listed = tables.tokens.get(token)
    if listed is not None:
        return listed.symbol
    return f"0x{token.hex()}" if token else "unknown token"


def _deadline(deadline: int | None) -> str:
    if deadline is None:
        return ""
    return f", until {time_text(deadline)}" if deadline < _LAST_YEAR_SHOWN else ", no deadline to speak of"


def time_text(timestamp: int) -> str:
    """A block's time as people read it; seconds since 1970 where that is no time of this age."""
    if timestamp >= _LAST_YEAR_SHOWN:
        return f"{timestamp:,} s"
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC"
