"""Inputs that nobody means well with, for every function and command of every chain's tables: structured, mutated and random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from eth_abi.abi import encode

from mempool.abi.types import canonical_tuple, canonical_type
from mempool.decode import DecodeTables, decode_transaction
from mempool.decode.tables import RouterTable
from mempool.decode.wrappers.metamask_swap import AGGREGATORS
from mempool.model.chain import AnyContract, Router
from mempool.model.keccak import keccak256
from mempool.model.swap import Completeness, DecodedCall
from mempool.model.transaction import PendingTransaction
from mempool.resources import chain_names, load_tables, read_abis, read_chain
from tests.decode.calls import SENDER, split_types
from tests.decode.examples import all_examples

HUGE = (2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 32, 2**64, 2**128, 2**255, 2**256 - 33, 2**256 - 1)
SOMEWHERE = b"\x5a" * 20
"""Where those stand that are known by their selectors."""
_AGGREGATE = keccak256(b"aggregate((address,bytes)[])")[:4]
_V4_SWAP = b"\x10"
_NUMBERS = (0, 1, 2, 3, 9_999, 10_000, 65_535, 10**6, 10**18, 2**112, 2**127, *HUGE)
_FEES = (0, 100, 500, 2_500, 3_000, 10_000, 0x800000, 0xFFFFFF)
_CARRIED = (
    ["(address,uint256,bytes)[]"],
    ["bytes[]"],
    ["((address,uint256,bytes)[],bool)"],
    ["(address,address,bytes32,(address,bytes,bytes)[],uint256,bytes)[]"],
    ["bytes", "bytes[]"],
    ["address[]", "bool"],
    ["(uint8,uint256,bytes)[]"],
    ["address[]", "(uint8,bytes)[]"],
    ["(uint32,bytes)[]"],
)
"""Types that contracts encode inside `bytes`."""


class Target(NamedTuple):
    """A contract of a chain's tables, and where it stands."""

    chain: DecodeTables
    table: RouterTable
    to: bytes
    row: Router | AnyContract


class Input(NamedTuple):
    """One call of a contract of a chain."""

    chain: DecodeTables
    to: bytes
    data: bytes
    value_wei: int = 0


class Function(NamedTuple):
    """A function of the tables, or a command, by its ABI's types; what its handler unpacks itself has none."""

    key: bytes
    types: tuple[str, ...]


@cache
def chain(name: str) -> DecodeTables:
    return load_tables(name)


@cache
def targets(name: str) -> tuple[Target, ...]:
    """Every contract that a chain's file lists, also those that are looked for inside other calls alone."""
    of, listed = chain(name), read_chain(name)
    by_name = {table.name: table for table in (*of.routers.values(), *of.anywhere_inside.values())}
    rows: tuple[Router | AnyContract, ...] = (*listed.routers, *listed.anywhere)
    return tuple(Target(of, by_name[row.name], by_name[row.name].address or SOMEWHERE, row) for row in rows)


@cache
def functions(abi: str) -> tuple[Function, ...]:
    """All functions of an ABI file."""
    rows = [row for row in read_abis()[abi] if row.get("type") == "function"]
    return tuple(
        Function(keccak256((row["name"] + canonical_tuple(row["inputs"])).encode())[:4], _types(row["inputs"])) for row in rows
    )


@cache
def commands(abi: str, ending: str) -> tuple[Function, ...]:
    """All commands, or the actions that one of them carries, of a command machine; none where it has none."""
    return tuple(
        Function(_key(row["id"]), _types(row["inputs"]) if isinstance(row.get("inputs"), list) else ())
        for row in read_abis().get(f"{abi}.{ending}", ())
    )


def _key(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x").rjust(2, "0"))


def _types(inputs: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(map(canonical_type, inputs))


def outcome(given: Input) -> DecodedCall | None:
    """What a transaction with that calldata ends as, which is one word, or None where the contract is not listed."""
    transaction = PendingTransaction("", SENDER, given.to, 0, given.value_wei, 0, 0, 0, given.data, 0, "")
    call = decode_transaction(given.chain, transaction)
    if call is None:
        assert given.to not in given.chain.routers
    else:
        assert isinstance(call.completeness, Completeness)
        assert call.reason or call.completeness not in (Completeness.MALFORMED, Completeness.REFUSED)
        assert not (call.intents and call.completeness in (Completeness.MALFORMED, Completeness.REFUSED))
    return call


def sent(target: Target, data: bytes, value_wei: int = 0) -> Input:
    """A call of the contract; one that is looked for inside other calls alone is called by Multicall3."""
    if target.table.address or target.chain.anywhere.get(data[:4]) is target.table:
        return Input(target.chain, target.to, data, value_wei)
    (multicall3,) = (table.address for table in target.chain.routers.values() if table.kind == "multicall3")
    return Input(target.chain, multicall3, _AGGREGATE + encode(["(address,bytes)[]"], [[(target.to, data)]]), value_wei)


class Generator:
    """Makes inputs for one chain, out of well-formed arguments with hostile values in them."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name, self.chance = name, chance
        self.chain = chain(name)
        self.known = self._addresses()
        self.seen: list[bytes] = []
        """Calldata made so far, to be carried by what comes later."""

    def examples(self) -> Iterator[Input]:
        """The example of every kind at every contract of the kind."""
        for target in targets(self.name):
            example = all_examples().get(target.row.kind)
            if example is not None:
                data, value_wei = example(self.chain, target.table)
                self.seen.append(data)
                yield sent(target, data, value_wei)

    def structured(self) -> Iterator[Input]:
        """One call of every function of every contract."""
        for target in targets(self.name):
            for function in functions(target.row.abi):
                data = function.key + self.arguments(function.types, target.row.abi)
                self.seen.append(data)
                yield sent(target, data, self.chance.choice((0, 0, 10**18)))

    def commanded(self) -> Iterator[Input]:
        """A plan of each command, and of each action that a command carries, of every contract that has some."""
        for target in targets(self.name):
            abi = target.row.abi
            carriers = [function for function in functions(abi) if "bytes[]" in function.types]
            for row in commands(abi, "commands"):
                yield sent(target, self.plan_call(self.chance.choice(carriers), row, self.command_input(row, abi, 1)))
            for action in commands(abi, "actions"):
                (carrier,) = [row for row in commands(abi, "commands") if row.key == _V4_SWAP]
                plan = encode(["bytes", "bytes[]"], [action.key, [self.arguments(action.types, abi, 2)]])
                yield sent(target, self.plan_call(self.chance.choice(carriers), carrier, plan))

    def plan_call(self, function: Function, row: Function, data: bytes) -> bytes:
        """A call of a function that carries one command; the command's key is its byte, or a selector before its input."""
        values = [self.value(text, "", 3) for text in function.types]
        place = function.types.index("bytes[]")
        if len(row.key) == 1:
            values[place - 1], values[place] = row.key, [data]
        else:
            values[place] = [row.key + data]
        return function.key + encode(function.types, values)

    def behind_every_selector(self) -> Iterator[Input]:
        """Random bytes as the arguments of every function of every contract."""
        for target in targets(self.name):
            for function in functions(target.row.abi):
                yield sent(target, function.key + self.chance.randbytes(self.chance.randrange(700)))

    def arguments(self, types: Sequence[str], abi: str = "", depth: int = 0) -> bytes:
        """Well-formed arguments; those without types are a packed program."""
        if not types:
            return self.program()
        values = [self.value(text, abi, depth) for text in types]
        for place in range(len(types) - 1):
            if types[place : place + 2] == ("bytes", "bytes[]") and self.chance.random() < 0.8:
                values[place], values[place + 1] = self.plan(commands(abi, "commands"), abi, depth)
        return encode(types, values)

    def plan(self, rows: Sequence[Function], abi: str, depth: int) -> tuple[bytes, list[bytes]]:
        """Command bytes and their inputs; now and then one more or less."""
        chosen = [self.chance.choice(rows) for _ in range(self.chance.randrange(6))] if rows else []
        inputs = [self.command_input(row, abi, depth + 1) for row in chosen]
        codes = b"".join(row.key[-1:] for row in chosen)
        if self.chance.random() < 0.2:
            codes += self.chance.randbytes(1)
        return bytes(code | self.chance.choice((0, 0, 0x80)) for code in codes), inputs

    def command_input(self, row: Function, abi: str, depth: int) -> bytes:
        actions = commands(abi, "actions")
        if not row.types and actions and depth < 4:
            return encode(["bytes", "bytes[]"], self.plan(actions, abi, depth + 1))
        return self.arguments(row.types, abi, depth)

    def value(self, text: str, abi: str, depth: int) -> Any:
        """A value of an ABI type, as eth-abi takes it."""
        if text.endswith("]"):
            element, _, length = text[:-1].rpartition("[")
            count = int(length) if length else self.chance.choice((0, 1, 1, 2, 2, 3, 5))
            return [self.value(element, abi, depth + (not length)) for _ in range(count)]
        if text.startswith("("):
            return tuple(self.value(part, abi, depth) for part in split_types(text[1:-1]))
        if text == "string":
            return self.chance.choice((*AGGREGATORS, "airswapLight4", "oneInchV5FeeDynamic", "", "\x00\u202e"))
        if text == "bytes":
            return self.blob(abi, depth + 1)
        return self.word(text)

    def word(self, text: str) -> Any:
        chance = self.chance
        if text == "address":
            return chance.choice(self.known)
        if text == "bool":
            return chance.random() < 0.5
        if text.startswith("bytes"):
            word = chance.choice((bytes(32), b"\x01" + bytes(31), chance.randbytes(32), self.pool_word().to_bytes(32)))
            return word[: int(text[5:])]
        bits = int(text.removeprefix("u").removeprefix("int"))
        number = chance.choice((*_NUMBERS, *range(8), chance.randrange(1 << bits), self.pool_word())) % (1 << bits)
        return number if text.startswith("u") or number < 1 << bits - 1 else number - (1 << bits)

    def pool_word(self) -> int:
        """An address with flags and numbers above it, as aggregators pack pools."""
        above = self.chance.choice((0, 10_000, 997_000_000, self.chance.getrandbits(96)))
        flags = self.chance.choice((0, 0, 1 << 247, 1 << 252, 1 << 253, 1 << 254, 1 << 255, 3 << 253))
        return flags | above << 160 & (1 << 256) - 1 | int.from_bytes(self.chance.choice(self.known))

    def blob(self, abi: str, depth: int) -> bytes:
        """What `bytes` may carry: calldata, an action, an encoding, a program or nothing in particular."""
        if depth > 5:
            return self.chance.randbytes(self.chance.randrange(40))
        makers: list[Callable[[], bytes]] = [
            lambda: b"",
            lambda: self.chance.randbytes(self.chance.randrange(200)),
            lambda: self.chance.choice(self.seen) if self.seen else b"",
            lambda: self.chance.choice(self.seen) if self.seen else b"",
            lambda: self.action(abi, depth),
            lambda: self.action(abi, depth),
            lambda: self.arguments(self.chance.choice(_CARRIED), abi, depth),
            lambda: self.chance.choice(self.known) + self.word("bytes32") + self.chance.choice(self.seen or [b""]),
            self.program,
            self.route,
            self.path,
        ]
        return self.chance.choice(makers)()

    def action(self, abi: str, depth: int) -> bytes:
        """An input of one of the contract's commands; calldata where its key is a selector."""
        rows = commands(abi, "commands")
        if not rows:
            return self.program()
        row = self.chance.choice(rows)
        return (row.key if len(row.key) == 4 else b"") + self.command_input(row, abi, depth)

    def path(self) -> bytes:
        """A V3 path."""
        chance = self.chance
        hops = [chance.choice(_FEES).to_bytes(chance.choice((3, 3, 4))) + chance.choice(self.known) for _ in range(3)]
        return chance.choice(self.known) + b"".join(hops[: chance.randrange(4)])

    def program(self) -> bytes:
        """Small numbers, addresses, fees and words, one after another."""
        chance = self.chance
        pieces: list[Callable[[], bytes]] = [
            lambda: bytes([chance.randrange(8)]),
            lambda: chance.randrange(1 << 16).to_bytes(2),
            lambda: b"\x00\x01" + chance.choice(self.known),
            lambda: chance.choice(self.known),
            lambda: chance.choice(_FEES).to_bytes(3),
            lambda: chance.choice(_NUMBERS).to_bytes(32),
            lambda: chance.randbytes(chance.randrange(30)),
        ]
        return b"".join(chance.choice(pieces)() for _ in range(chance.randrange(30)))

    def route(self) -> bytes:
        """A program of Sushi's processors, mostly sound."""
        chance, route = self.chance, b""
        for _ in range(chance.randrange(6)):
            code = chance.choice((1, 2, 3, 4, 5, 6, chance.randrange(256)))
            token = b"" if code == 3 else chance.choice(self.known)
            count = chance.choice((1, 1, 2, 255))
            shares = b"".join(chance.randbytes(2) + self._route_pool() for _ in range(min(count, 3)))
            route += bytes([code]) + token + (self._route_pool() if code == 4 else bytes([count]) + shares)
        return route

    def _route_pool(self) -> bytes:
        chance = self.chance
        kind = chance.choice((0, 1, 2, 3, 4, 5, chance.randrange(256)))
        return (
            bytes([kind]) + chance.choice(self.known) + bytes([chance.randrange(3)]) + chance.choice(self.known) + b"\x00\x0b\xb8"
        )

    def _addresses(self) -> list[bytes]:
        of = self.chain
        tokens = list(of.tokens)
        pools = [
            factory.address_of(tokens[0], token, fee_pips)
            for factory in of.factories.values()
            for token in tokens[1:3]
            for fee_pips in list(factory.tick_spacings)[:2] or [factory.fee_pips]
        ]
        special = [bytes(20), bytes(19) + b"\x01", bytes(19) + b"\x02", b"\xee" * 20, SENDER, SOMEWHERE]
        return [*special, *tokens, *tokens[:6] * 4, *pools, *of.routers, *(pool[:20] for pool in of.listed_pools)]


def mutated(data: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """One to four changes: bits, a word, a moved offset, a copied word, a cut, something put in, the end of another call."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(changed) or 1)
        word = 4 + 32 * (start // 32)
        match chance.randrange(8):
            case 0:
                changed[start : start + 1] = chance.randbytes(1)
            case 1:
                changed[start : start + 1] = bytes(byte ^ 1 << chance.randrange(8) for byte in changed[start : start + 1])
            case 2:
                changed[word : word + 32] = chance.choice((*HUGE, 0, 1, 32, 64, 96, chance.randrange(1024))).to_bytes(32)
            case 3:
                moved = int.from_bytes(changed[word : word + 32]) + chance.choice((-64, -32, -1, 1, 31, 32, 64, 1 << 64))
                changed[word : word + 32] = (moved % (1 << 256)).to_bytes(32)
            case 4:
                changed[word : word + 32] = changed[4 + 32 * chance.randrange(8) :][:32]
            case 5:
                del changed[start:]
            case 6:
                changed[start:start] = chance.randbytes(chance.randrange(1, 64))
            case _:
                other = chance.choice(others or [data])
                changed[start:] = other[chance.randrange(len(other) or 1) :]
    return bytes(changed)


def seeds(chance: random.Random, rounds: int = 1) -> list[Input]:
    """Examples and structured calls of every chain's every function, `rounds` of the latter."""
    made: list[Input] = []
    for name in chain_names():
        generator = Generator(name, chance)
        made += generator.examples()
        for _ in range(rounds):
            made += generator.structured()
            made += generator.commanded()
    return made


def fuzzed(count: int, seed: int, more_seeds: Sequence[Input] = ()) -> Iterator[Input]:
    """So many inputs: the seeds themselves, random bytes behind each selector, and for the rest mutations of the seeds."""
    chance = random.Random(seed)
    known = [*seeds(chance), *more_seeds]
    made: list[Input] = [*known]
    for name in chain_names():
        made += Generator(name, chance).behind_every_selector()
    chance.shuffle(made)
    made = made[: count // 2]
    yield from made
    datas = [each.data for each in known]
    swaps = [each for each in known if (call := outcome(each)) is not None and call.intents]
    for number in range(count - len(made)):
        given = chance.choice(swaps if number % 2 else known)
        if chance.random() < 0.1:
            # Another contract is sent what was meant for this one.
            given = given._replace(to=chance.choice(known).to)
        yield given._replace(data=mutated(given.data, chance, datas))
