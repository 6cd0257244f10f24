"""Runs a plan of commands whose shape has come before in one go: what it asks for is what the full reading finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

from msgspec import Struct

from mempool.abi import MAX_SHAPES, SPARE_BYTES, PlanShape, ReadPlain, shape_at
from mempool.decode.call import ALLOW_REVERT, Call, completeness_of
from mempool.decode.ledger import NATIVE, Ledger
from mempool.decode.tables import DecodeTables, Handler, QuickCall, RouterTable
from mempool.model.swap import DecodedCall, Step

_Command = tuple[str, Handler, ReadPlain, int, bool]
"""`(name, handler, reader, start of its input in the calldata, may fail)`."""


class _Plan(Struct, frozen=True):
    """What is the same for all calldata of one shape. Without `steps` it is left to the full reading."""

    lengths_of: Callable[[bytes, int], tuple[bytes, ...]]
    lengths: tuple[bytes, ...]
    end: int
    commands: tuple[_Command, ...] = ()
    """Those that do something."""
    steps: tuple[Step, ...] = ()


def quick_plan_of(swaps: Mapping[str, int], *, has_deadline: bool) -> Callable[[RouterTable, bytes], QuickCall]:
    """The short cut of an `execute(commands, inputs[, deadline])`.

    `swaps` are the commands that it may run and for each how many swaps it adds, whatever its input. None of them may carry
    commands or calls.
    """

    def bind(router: RouterTable, selector: bytes) -> QuickCall:
        plans: dict[bytes, _Plan] = {}
        start = 100 if has_deadline else 68
        count_at, first_offset = start + 95, start + 96
        offsets = (start - 4).to_bytes(32) + (start + 60).to_bytes(32)
        name = router.name

        def quick_plan(tables: DecodeTables, calldata: bytes, value_wei: int, sender: bytes) -> DecodedCall | None:
            size = len(calldata)
            if size < first_offset or calldata[4:68] != offsets:
                return None
            first = first_offset + 32 * calldata[count_at]
            words = calldata[start:first]
            plan = plans.get(words)
            if plan is None or size < plan.end or plan.lengths_of(calldata, first) != plan.lengths:
                shape = shape_at(calldata, start)
                if shape is None:
                    return None
                if len(plans) >= MAX_SHAPES:
                    plans.clear()
                plans[words] = plan = _plan_of(shape, router, start, swaps)
            if not plan.steps:
                return None
            # The budget is not charged: inputs that stand one behind the other have fewer bytes together than the calldata.
            call = Call(
                selector,
                size + SPARE_BYTES,
                tables=tables,
                router=router,
                contract=router.address,
                value_wei=value_wei,
                sender=sender,
                size=size,
                deadline=int.from_bytes(calldata[68:100]) if has_deadline else None,
                ledger=Ledger({}, changes=[(router.address, NATIVE, value_wei)]),
            )
            for call.function, handler, read_plain, place, call.may_fail in plan.commands:
                arguments = read_plain(calldata, place, None)
                if arguments is None:
                    return None
                handler(call, arguments)
            word, reason = completeness_of(call)
            intents = tuple(call.intents)
            return DecodedCall(name, selector, word, intents, plan.steps, size - plan.end, reason, call.joint_minimums)

        return quick_plan

    return bind


def _plan_of(shape: PlanShape, router: RouterTable, start: int, swaps: Mapping[str, int]) -> _Plan:
    """Without steps where a command is not one of `swaps` or, by its length, not laid out in the usual way."""
    readers = shape.lengths_reader(), shape.lengths, start + shape.end
    entries = [router.commands.get(code & router.command_mask) for code in shape.codes]
    commands: list[_Command] = []
    names: list[str] = []
    for entry, code, place, size in zip(entries, shape.codes, shape.starts, shape.sizes, strict=True):
        if entry is None or entry.is_opaque:
            return _Plan(*readers)
        names.append(entry.name)
        if entry.handler is None:
            continue
        if size not in entry.plain or entry.name not in swaps:
            return _Plan(*readers)
        commands.append((entry.name, entry.handler, entry.plain[size], start + place, code >= ALLOW_REVERT))
    return _Plan(*readers, tuple(commands), tuple(_steps(router.name, names, swaps)))


def _steps(router: str, names: list[str], swaps: Mapping[str, int]) -> Iterator[Step]:
    yield Step(0, router, "execute", 0)
    first_intents = accumulate((swaps.get(name, 0) for name in names), initial=0)
    for name, first_intent in zip(names, first_intents, strict=False):
        yield Step(1, "", name, first_intent)
