"""Calldata to swap intents, chosen by the router's address and the selector."""

from __future__ import annotations

from mempool.abi import MAX_CALLDATA_BYTES, SPARE_BYTES
from mempool.decode.call import Call, completeness_of
from mempool.decode.tables import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall
from mempool.model.transaction import PendingTransaction


def decode(tables: DecodeTables, to: bytes | None, calldata: bytes, value_wei: int, sender: bytes) -> DecodedCall | None:
    """What a call asks of a listed router; None where `to` is not one.

    Raises `MalformedCalldata` where the router would revert on the calldata and, with `refused`, where it costs too much to read.
    """
    router = None if to is None else tables.routers.get(to)
    if router is None:
        return None
    size = len(calldata)
    if size < 4 or size > MAX_CALLDATA_BYTES:
        return _without_function(router, calldata)
    selector = calldata[:4]
    entry = router.entries.get(selector)
    if entry is not None and (quick_swap := entry.quick_swap) is not None and (read_plain := entry.plain.get(size)) is not None:
        # The usual layout along a known path, which is nearly every swap; None leaves it to the full reading.
        arguments = read_plain(calldata)
        intent = None if arguments is None else quick_swap(arguments, value_wei)
        if intent is not None:
            return DecodedCall(router.name, selector, intent.completeness, (intent,), (entry.name,))
    call = Call(selector, size + SPARE_BYTES, router=router, value_wei=value_wei, sender=sender, size=size)
    call.run(calldata)
    completeness, reason = completeness_of(call)
    return DecodedCall(
        router.name, selector, completeness, call.intents, call.commands, call.extra_bytes, reason, call.joint_minimums
    )


def decode_transaction(tables: DecodeTables, transaction: PendingTransaction) -> DecodedCall | None:
    """`decode` of a transaction that never raises: what is malformed or refused comes out as a call that says so."""
    to = transaction.to
    try:
        return decode(tables, to, transaction.calldata, transaction.value_wei, transaction.sender)
    except MalformedCalldata as error:
        word = Completeness.REFUSED if error.refused else Completeness.MALFORMED
        router = tables.routers[to].name if to is not None else ""
        return DecodedCall(router, error.selector, word, reason=error.reason)


def _without_function(router: RouterTable, calldata: bytes) -> DecodedCall:
    if not calldata:
        return DecodedCall(router.name, b"", Completeness.NOT_A_SWAP, reason="a plain transfer")
    if len(calldata) < 4:
        raise MalformedCalldata(calldata, "the calldata is shorter than a selector")
    raise MalformedCalldata(calldata[:4], f"the calldata exceeds {MAX_CALLDATA_BYTES} bytes", refused=True)
