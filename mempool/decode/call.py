"""One call under way: its budget, the router, and what was found in it so far."""

from __future__ import annotations

from msgspec.structs import replace

from mempool.abi import Budget, read_arguments
from mempool.decode.ledger import Holding, Ledger
from mempool.decode.pools import MAX_HOPS
from mempool.decode.tables import Entry, RouterTable
from mempool.model.swap import BalanceIn, Completeness, ExactIn, SwapIntent


class Call(Budget, kw_only=True):
    """What handlers work on. `function` is the one being read; `deadline` and `revert_scopes` come from those around it.

    `may_fail` says that the command being read carries the flag which allows it to.
    """

    router: RouterTable
    value_wei: int
    sender: bytes
    size: int
    """Length of the whole calldata, from which the budgets are made."""
    function: str = ""
    deadline: int | None = None
    revert_scopes: tuple[int, ...] = ()
    may_fail: bool = False
    extra_bytes: int = 0
    hops_left: int = MAX_HOPS
    intents: tuple[SwapIntent, ...] = ()
    commands: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    """Names of what may swap and is not understood."""
    ledger: Ledger | None = None
    joint_minimums: tuple[BalanceIn, ...] = ()

    def run(self, data: bytes) -> None:
        """Read one function call of the router, selector first, and let its handler add what it asks for."""
        entry = self.router.entries.get(data[:4])
        if entry is None:
            self.note_opaque(f"0x{data[:4].hex()}")
            return
        self.commands += (entry.name,)
        handler = entry.handler
        if handler is None:
            return
        self.function = entry.name
        read_plain = entry.plain.get(len(data))
        arguments = None if read_plain is None else read_plain(data)
        if arguments is None:
            self.apply(entry, data, 4)
        else:
            handler(self, arguments)

    def run_nested(self, data: bytes) -> None:
        """The same one level down, for calldata that a multicall carries."""
        self.charge_command()
        self.enter(self.size)
        self.run(data)
        self.leave()

    def apply(self, entry: Entry, data: bytes, start: int) -> None:
        """Read the arguments that begin at `start` and hand them to the entry's handler, if it has one."""
        if entry.handler is None:
            return
        arguments = () if entry.read is None else read_arguments(entry.read, data, start, self)
        if self.depth == 0 and len(data) > self.end:
            self.extra_bytes = len(data) - self.end
        self.function = entry.name
        entry.handler(self, arguments)

    def books(self) -> Ledger:
        """The call's ledger; the call's own value is the first entry."""
        if self.ledger is None:
            self.ledger = Ledger({})
        return self.ledger

    def add(self, intent: SwapIntent) -> None:
        """Note an intent and who will hold its output."""
        self.hops_left -= len(intent.hops)
        if self.hops_left < 0:
            raise self.refused(f"has more than {MAX_HOPS} hops")
        if self.ledger is not None:
            self.ledger.credit(intent.recipient, intent.token_out, Holding(sources=(len(self.intents),)))
        self.intents += (intent,)

    def sell_balance(self, holder: bytes, token: bytes, min_amount_out: int) -> BalanceIn:
        """All that `holder` has of the token, taken from it; with no source and nothing held where the call does not fix it."""
        size = self.books().take_all(holder, token).size(min_amount_out)
        return BalanceIn(0, (), min_amount_out) if size is None else size

    def require(self, held: Holding, minimum: int) -> None:
        """A later step checks that a balance holds `minimum`: a limit of the swaps that are its sources.

        What was paid out of the balance before the check, a portion included, raises what they must bring.
        """
        if not held.sources or not held.known:
            return
        for take in reversed(held.takes):
            minimum = take.needed_before(minimum)
        if len(held.sources) == 1 and not held.wei:
            self._require_of(held.sources[0], minimum)
        elif minimum > held.wei and not self.revert_scopes and not any(self.intents[each].allow_revert for each in held.sources):
            self.joint_minimums += (BalanceIn(held.wei, held.sources, minimum),)

    def _require_of(self, index: int, minimum: int) -> None:
        intent = self.intents[index]
        if isinstance(intent.size, ExactIn | BalanceIn) and intent.size.min_amount_out < minimum:
            raised = replace(intent, size=replace(intent.size, min_amount_out=minimum))
            self.intents = (*self.intents[:index], raised, *self.intents[index + 1 :])

    def note_opaque(self, name: str) -> None:
        """Something ran that may swap and may move any balance."""
        self.commands += (name,)
        self.opaque += (name,)
        self.books().forget_all()


def completeness_of(call: Call) -> tuple[Completeness, str]:
    """The call's one word, and why. The least that is known of an intent is what is known of the call."""
    intents = call.intents
    if len(intents) == 1 and not call.opaque:
        return intents[0].completeness, intents[0].reason
    if call.opaque:
        reason = f"not understood: {', '.join(call.opaque)}"
        return (Completeness.PARTIAL if intents else Completeness.OPAQUE), reason
    if not intents:
        return Completeness.NOT_A_SWAP, ""
    for word in (Completeness.PARTIAL, Completeness.AMOUNT_UNKNOWN):
        for intent in intents:
            if intent.completeness is word:
                return word, intent.reason
    return Completeness.EXACT, ""
