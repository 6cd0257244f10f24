"""Calldata to swap intents, chosen by the router's address and the selector."""

from __future__ import annotations

from mempool.abi import MAX_CALLDATA_BYTES, SPARE_BYTES
from mempool.decode.call import Call, completeness_of
from mempool.decode.tables import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall
from mempool.model.transaction import PendingTransaction


def decode(tables: DecodeTables, to: bytes | None, calldata: bytes, value_wei: int, sender: bytes) -> DecodedCall | None:
    """What a call asks of a listed router, or of a contract that is known by its function; None where `to` is neither.

    Raises `MalformedCalldata` where the contract would revert on the calldata and, with `refused`, where reading costs too much.
    """
    if to is None:
        return None
    router = tables.routers.get(to)
    if router is None:
        table = tables.anywhere.get(calldata[:4])
        return None if table is None else _decode_by_selector(tables, table, to, (calldata, value_wei, sender))
    size = len(calldata)
    if size < 4 or size > MAX_CALLDATA_BYTES:
        return _without_function(router, calldata)
    entry = router.entries.get(calldata[:4])
    if entry is not None and (quick := entry.quick) is not None:
        call = quick(tables, calldata, value_wei, sender)
        if call is not None:
            return call
    return _decode_fully(tables, router, to, (calldata, value_wei, sender))


def _decode_fully(
    tables: DecodeTables, router: RouterTable, to: bytes, message: tuple[bytes, int, bytes], *, by_selector: bool = False
) -> DecodedCall:
    calldata, value_wei, sender = message
    size, selector = len(calldata), calldata[:4]
    call = Call(
        selector, size + SPARE_BYTES, tables=tables, router=router, contract=to, value_wei=value_wei, sender=sender, size=size
    )
    call.run(calldata, router.name)
    word, reason = completeness_of(call)
    return DecodedCall(
        router.name,
        selector,
        word,
        tuple(call.intents),
        tuple(call.steps),
        call.extra_bytes,
        reason,
        call.joint_minimums,
        by_selector,
    )


def _decode_by_selector(
    tables: DecodeTables, table: RouterTable, to: bytes, message: tuple[bytes, int, bytes]
) -> DecodedCall | None:
    """What does not read as the function that its selector names is a function of another name, and no broken call."""
    if len(message[0]) > MAX_CALLDATA_BYTES:
        return None
    try:
        return _decode_fully(tables, table, to, message, by_selector=True)
    except MalformedCalldata as error:
        if error.refused:
            raise
        return None


def decode_transaction(tables: DecodeTables, transaction: PendingTransaction) -> DecodedCall | None:
    """`decode` of a transaction that never raises: what is malformed or refused comes out as a call that says so."""
    to = transaction.to
    try:
        return decode(tables, to, transaction.calldata, transaction.value_wei, transaction.sender)
    except MalformedCalldata as error:
        word = Completeness.REFUSED if error.refused else Completeness.MALFORMED
        router = tables.routers.get(to or b"") or tables.anywhere.get(error.selector)
        return DecodedCall("" if router is None else router.name, error.selector, word, reason=error.reason)


def _without_function(router: RouterTable, calldata: bytes) -> DecodedCall:
    if not calldata:
        return DecodedCall(router.name, b"", Completeness.NOT_A_SWAP, reason="a plain transfer")
    if len(calldata) < 4:
        raise MalformedCalldata(calldata, "the calldata is shorter than a selector")
    raise MalformedCalldata(calldata[:4], f"the calldata exceeds {MAX_CALLDATA_BYTES} bytes", refused=True)
