"""One typical swap call of every kind of router: those that stand here, and those in the tests of each kind."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module

import tests.decode
from mempool.decode import DecodeTables
from mempool.decode.tables import RouterTable
from tests.decode.calls import DEADLINE, SENDER, TO_SENDER, calldata

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]
"""`(tables of a chain, router) -> (calldata, value)`, of the chain's own tokens: it asks for at least one swap."""

AMOUNT = 10**6
_EXACT_IN = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
_SINGLE = "(address,address,uint24,address,uint256,uint256,uint256,uint160)"
_SINGLE_02 = "(address,address,uint24,address,uint256,uint256,uint160)"


def example_tokens(chain: DecodeTables) -> tuple[bytes, bytes]:
    """The second listed token, which is a dollar, and the first, which is the wrapped native one."""
    wrapped, dollar = list(chain.tokens)[:2]
    return dollar, wrapped


def uniswap_v2(chain: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return calldata(_EXACT_IN, AMOUNT, 1, list(example_tokens(chain)), SENDER, DEADLINE), 0


def uniswap_v3(chain: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    swap = (*example_tokens(chain), 500, SENDER, DEADLINE, AMOUNT, 1, 0)
    return calldata(f"exactInputSingle({_SINGLE})", swap), 0


def swap_router02(chain: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    swap = calldata(f"exactInputSingle({_SINGLE_02})", (*example_tokens(chain), 500, TO_SENDER, AMOUNT, 1, 0))
    return calldata("multicall(uint256,bytes[])", DEADLINE, [swap]), 0


EXAMPLES: dict[str, Example] = {
    "uniswap_v2_router": uniswap_v2,
    "uniswap_v2_fork": uniswap_v2,
    "uniswap_v3_router": uniswap_v3,
    "swap_router02": swap_router02,
}


@cache
def all_examples() -> dict[str, Example]:
    """By the kind of router; a kind that has two is an error."""
    collected: dict[str, Example] = {}
    for examples in _every_examples():
        if both := collected.keys() & examples.keys():
            raise ValueError(f"{', '.join(sorted(both))}: an example too many")
        collected.update(examples)
    return collected


def _every_examples() -> Iterator[dict[str, Example]]:
    yield EXAMPLES
    for module in pkgutil.walk_packages(tests.decode.__path__, "tests.decode."):
        if module.name.rpartition(".")[2].startswith("test_") and not module.name.endswith("test_evidence"):
            yield getattr(import_module(module.name), "EXAMPLES", {})
