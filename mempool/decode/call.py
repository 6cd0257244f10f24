"""One call under way: its budget, the contract at hand, and what was found in it so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import field
from msgspec.structs import replace

from mempool.abi import Budget, read_arguments, read_or_find
from mempool.decode.found_pools import HASHES_LEFT_FOR_PATHS
from mempool.decode.ledger import NATIVE, Holding, Ledger
from mempool.decode.pools import MAX_HOPS
from mempool.decode.tables import DecodeTables, Entry, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import ALL, BalanceIn, Completeness, ExactIn, Hop, Step, SwapIntent, Take

ALLOW_REVERT = 0x80
"""The flag that allows a command to fail where the router makes a call for it. Its own swaps are none: they take the transaction
with them."""

PlaceOf = Callable[[int], tuple[bytes, int]]
"""`number of the input -> (the calldata that the contract sees, where the input begins in it)`"""

# A look-up on an enum costs as much as a whole struct before Python 3.12.
_EXACT = Completeness.EXACT
_FEW = 16
_MOST = (1 << 256) - 1
"""No balance holds more, so that a minimum above it says no more than one of it: portions taken over and over can ask for any."""
_OUTPUTS = [Holding(0, (number,)) for number in range(_FEW)]
"""What each of the first intents brings."""
_LESS_THAN_EXACT = (Completeness.PARTIAL, Completeness.TOKENS_UNKNOWN, Completeness.AMOUNT_UNKNOWN)


class Call(Budget, kw_only=True):
    """What handlers work on. The contract at hand is `contract`, called by `sender` with `value_wei`; `router` is its table.

    `function` is the one being read; `deadline` and `revert_scopes` come from those around it. `may_fail` says that the command
    being read carries the flag which allows it to.
    """

    tables: DecodeTables
    router: RouterTable
    contract: bytes
    value_wei: int
    sender: bytes
    size: int
    """Length of the whole calldata, from which the budgets are made."""
    function: str = ""
    data: bytes = b""
    """The calldata that is being read, for functions that pack their arguments in a way of their own."""
    deadline: int | None = None
    revert_scopes: tuple[int, ...] = ()
    may_fail: bool = False
    extra_bytes: int = 0
    hops_left: int = MAX_HOPS
    intents: list[SwapIntent] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    opaque: tuple[str, ...] = ()
    """Names of what may swap and is not understood."""
    ledger: Ledger | None = None
    joint_minimums: tuple[BalanceIn, ...] = ()

    # -- going through the calldata ----------------------------------------------------------------------------------------

    def run(self, data: bytes, contract: str = "") -> None:
        """Read one function call of the contract at hand, selector first, and let its handler add what it asks for.

        `contract` is the name to note where the call has just entered this contract.
        """
        entry = self.router.entries.get(data[:4])
        if entry is None:
            self.note_opaque(f"0x{data[:4].hex()}", contract)
            return
        self.note(entry.name, contract)
        self.apply(entry, data, 4)

    def run_nested(self, data: bytes) -> None:
        """The same one level down, for calldata that a multicall carries."""
        self.charge_command()
        self.enter(self.size)
        self.run(data)
        self.leave()

    def call_contract(self, to: bytes, data: bytes, value_wei: int = 0) -> None:
        """Follow the call that the contract at hand makes of another one, which sees it as its sender.

        Where nothing is known to answer at `to`, it is noted as opaque. Without data the value is paid out.
        """
        self.charge_command()
        if len(data) < 4:
            self.books().move(self.contract, NATIVE, to, value_wei)
            return
        table = self.tables.contract(to, data[:4])
        if table is None:
            self.note_opaque(f"0x{data[:4].hex()} of 0x{to.hex()}")
            return
        around = (self.router, self.contract, self.sender, self.value_wei, self.function, self.deadline)
        self.router, self.contract, self.sender, self.value_wei = table, to, self.contract, value_wei
        self.enter(self.size)
        self.run(data, table.name)
        self.leave()
        self.router, self.contract, self.sender, self.value_wei, self.function, self.deadline = around

    def attempt(self, follow: Callable[[], None]) -> None:
        """Do what `follow` does as a part of the call that may fail as a whole without failing the rest.

        Calldata that reverts ends the part, and leaves a step that says so. What was charged for it stays charged: parts that
        fail could otherwise read the same bytes over and over.
        """
        around = self.revert_scopes
        self.revert_scopes = (*around, len(self.steps))
        intents, depth, held_bytes = self.intents.copy(), self.depth, self.held_bytes
        frame = (self.router, self.contract, self.sender, self.value_wei, self.function, self.deadline)
        try:
            follow()
        except MalformedCalldata as error:
            if error.refused:
                raise
            while self.depth > depth:
                self.leave()
            self.intents[:], self.held_bytes = intents, held_bytes
            self.router, self.contract, self.sender, self.value_wei, self.function, self.deadline = frame
            self.note(f"reverts: {error.reason}")
            self.books().forget_all()
        self.revert_scopes = around

    def apply(self, entry: Entry, data: bytes, start: int) -> None:
        """Read the arguments that begin at `start` and hand them to the entry's handler, if it has one.

        `start` is the one for which the entry's readers were made: 4 of a function, 0 of a command.
        """
        handler = entry.handler
        if handler is None:
            return
        self.function = entry.name
        self.data = data
        read_plain = entry.plain.get(len(data))
        arguments = None if read_plain is None else read_plain(data, start, self)
        if arguments is None:
            arguments = () if entry.read is None else read_arguments(entry.read, data, start, self)
            if self.depth == 0 and len(data) > self.end:
                self.extra_bytes = len(data) - self.end
        handler(self, arguments)

    def run_commands(self, codes: bytes, inputs: Sequence[bytes], place_of: PlaceOf) -> None:
        """Run a plan's commands one after another, each of which is read from all of its input.

        `place_of` says where the inputs stand. A command that the router does not have, or that is not understood, is opaque.
        """
        entries, mask, depth = self.router.commands, self.router.command_mask, self.depth
        steps, intents = self.steps, self.intents
        for number, (code, data) in enumerate(zip(codes, inputs, strict=True)):
            self.commands_left -= 1
            if self.commands_left < 0 or self.is_out_of_work:
                raise self.out_of_commands()
            command = entries.get(code & mask)
            if command is None or command.is_opaque:
                self.note_opaque(f"command 0x{code & mask:02x}" if command is None else command.name)
                continue
            steps.append(Step(depth, "", command.name, len(intents)))
            handler = command.handler
            if handler is None:
                continue
            self.may_fail = code >= ALLOW_REVERT
            read_plain = command.plain.get(len(data))
            arguments = None if read_plain is None else read_plain(data, 0, self)
            self.function = command.name
            handler(self, self._read_input(command, data, place_of, number) if arguments is None else arguments)

    def _read_input(self, command: Entry, data: bytes, place_of: PlaceOf, number: int) -> Any:
        """The arguments in one input. What cannot be read from it alone may stand around it: see `in_place`."""
        if command.read is None:
            return ()

        def around() -> tuple[bytes, int, int]:
            return *place_of(number), len(data)

        return read_or_find((command.read, command.in_place), data, 0, self, around)

    def hold_to(self, deadline: int) -> None:
        """From here on, and inside of here, the earliest deadline counts."""
        if self.deadline is None or deadline < self.deadline:
            self.deadline = deadline

    # -- noting what it asks for -------------------------------------------------------------------------------------------

    def note(self, name: str, contract: str = "") -> None:
        """A function or command runs."""
        self.steps.append(Step(self.depth, contract, name, len(self.intents)))

    def pool_hop(self, kind: str, pool: bytes, tokens: tuple[bytes, bytes], *, zero_for_one: bool | None = None) -> Hop:
        """The hop through a pool that the call names by its address; see `FoundPools.hop`."""
        found = self.tables.found_pools
        most_hashes = self.hashes_left - HASHES_LEFT_FOR_PATHS
        if most_hashes > 0 and found.needs_search(kind, pool, tokens):
            self.charge_hashes(found.search(kind, pool, tokens, most_hashes))
        return found.hop(kind, pool, tokens, zero_for_one=zero_for_one)

    def books(self) -> Ledger:
        """The call's ledger; the call's own value is the first entry."""
        if self.ledger is None:
            self.ledger = Ledger({})
        return self.ledger

    def check_hops(self, count: int) -> None:
        """Refuse so many more hops where they are too many; before any is made, since each takes some 100 bytes."""
        if count > self.hops_left:
            raise self.refused(f"has more than {MAX_HOPS} hops")

    def add(self, intent: SwapIntent) -> None:
        """Note an intent and who will hold its output."""
        hops, intents = intent.hops, self.intents
        self.check_hops(len(hops))
        self.hops_left -= len(hops)
        if self.ledger is not None:
            number = len(intents)
            output = _OUTPUTS[number] if number < _FEW else Holding(0, (number,))
            self.ledger.changes.append((intent.recipient, hops[-1].token_out, output))
        intents.append(intent)

    def sell_balance(self, holder: bytes, token: bytes, min_amount_out: int, share: Take = ALL) -> BalanceIn:
        """A share, or all, of what `holder` has of the token, taken from it.

        With no source and nothing held where the call does not fix it.
        """
        books = self.books()
        size = books.balance(holder, token).size(min_amount_out, share)
        if share is ALL:
            books.take_all(holder, token)
        else:
            books.take(holder, token, share)
        return BalanceIn(0, (), min_amount_out) if size is None else size

    def require(self, held: Holding, minimum: int) -> None:
        """A later step checks that a balance holds `minimum`: a limit of the swaps that are its sources.

        What was paid out of the balance before the check, a portion included, raises what they must bring.
        """
        if not held.sources or not held.known:
            return
        for take in reversed(held.takes):
            minimum = min(take.needed_before(minimum), _MOST)
        if len(held.sources) == 1 and not held.wei:
            self._require_of(held.sources[0], minimum)
        elif minimum > held.wei and not self.revert_scopes and not any(self.intents[each].allow_revert for each in held.sources):
            self.joint_minimums += (BalanceIn(held.wei, held.sources, minimum),)

    def _require_of(self, index: int, minimum: int) -> None:
        intent = self.intents[index]
        if isinstance(intent.size, ExactIn | BalanceIn) and intent.size.min_amount_out < minimum:
            self.intents[index] = replace(intent, size=replace(intent.size, min_amount_out=minimum))

    def note_opaque(self, name: str, contract: str = "") -> None:
        """Something runs that may swap and may move any balance."""
        self.note(name, contract)
        self.opaque += (name,)
        self.books().forget_all()


def completeness_of(call: Call) -> tuple[Completeness, str]:
    """The call's one word, and why. The least that is known of an intent is what is known of the call."""
    intents = call.intents
    if call.opaque:
        reason = f"not understood: {', '.join(call.opaque)}"
        return (Completeness.PARTIAL if intents else Completeness.OPAQUE), reason
    if not intents:
        return Completeness.NOT_A_SWAP, ""
    if len(intents) == 1:
        return intents[0].completeness, intents[0].reason
    for word in _LESS_THAN_EXACT:
        for intent in intents:
            if intent.completeness is word:
                return word, intent.reason
    return _EXACT, ""
