"""Balancer V3's routers: single swaps, paths, buffers and liquidity inside of them, permits around them; the Vault itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.calls import DAI, DEADLINE, SENDER, USDC, WETH, calldata, tables

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

ROUTERS = ("5c6fb490bdfd3246eb0bb062c168decaf4bd9fdd", "ae563e3f8219521950555f5962419c8919758ea2")
ROUTER = bytes.fromhex(ROUTERS[1])
BATCH_ROUTER = bytes.fromhex("136f1efcc3f8f88516b9e94110d56fdbfb1778d1")
VAULT = bytes.fromhex("ba1333333333a1ba1108e8412f11850a5c319ba9")
POOL, OTHER_POOL, WRAPPED = b"\x01" * 20, b"\x02" * 20, b"\x0a" * 20
SINGLE = "(address,address,address,uint256,uint256,uint256,bool,bytes)"
PATHS = "((address,(address,address,bool)[],uint256,uint256)[],uint256,bool,bytes)"
PERMITS = (
    "permitBatchAndCall((address,address,address,uint256,uint256,uint256)[],bytes[],"
    "((address,uint160,uint48,uint48)[],address,uint256),bytes,bytes[])"
)
Step = tuple[bytes, bytes, bool]
"""`(pool, token out, whether it is a buffer)`"""


def single(name: str, *, weth_is_eth: bool = False) -> bytes:
    return calldata(f"swapSingleToken{name}{SINGLE}", POOL, DAI, WETH, 11, 22, DEADLINE, weth_is_eth, b"")


def path_in(token_in: bytes, steps: Sequence[Step]) -> bytes:
    return calldata(f"swapExactIn{PATHS}", [(token_in, steps, 11, 22)], DEADLINE, False, b"")


def decoded(router: bytes, data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), router, data, value_wei, SENDER)
    assert call is not None
    return call


def router_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token, other = list(of.tokens)[:2]
    return calldata(f"swapSingleTokenExactIn{SINGLE}", POOL, token, other, 11, 22, DEADLINE, False, b""), 0


def batch_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token, other = list(of.tokens)[:2]
    return path_in(token, [(POOL, other, False)]), 0


def vault_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token, other = list(of.tokens)[:2]
    return vault_swap(0, token, other), 0


def vault_swap(kind: int, token_in: bytes, token_out: bytes) -> bytes:
    types = "(uint8,address,address,address,uint256,uint256,bytes)"
    return calldata(f"swap({types})", (kind, POOL, token_in, token_out, 11, 22, b""))


EXAMPLES: dict[str, Example] = {
    "balancer_v3_router": router_example,
    "balancer_v3_batch_router": batch_example,
    "balancer_v3_vault": vault_example,
}


@pytest.mark.parametrize("router", ROUTERS)
def test_single_swaps_are_read_as_eth_abi_encoded_them(router: str) -> None:
    call = decoded(bytes.fromhex(router), single("ExactIn"))
    (intent,) = call.intents
    (hop,) = intent.hops
    assert (hop.protocol, hop.kind, hop.pool, hop.token_in, hop.token_out) == ("balancer_v3", "", POOL, DAI, WETH)
    assert (intent.size, intent.recipient, intent.deadline) == (ExactIn(11, 22), SENDER, DEADLINE)
    assert call.completeness is Completeness.EXACT
    assert decoded(bytes.fromhex(router), single("ExactOut")).intents[0].size == ExactOut(11, 22)


def test_native_coin_around_a_swap_leaves_the_pools_tokens() -> None:
    assert decoded(ROUTER, single("ExactIn", weth_is_eth=True)).intents[0].token_out == WETH


def test_paths_are_intents_with_a_hop_for_each_pool() -> None:
    paths = [(DAI, [(POOL, USDC, False), (OTHER_POOL, WETH, False)], 11, 22), (USDC, [(POOL, WETH, False)], 33, 44)]
    call = decoded(BATCH_ROUTER, calldata(f"swapExactIn{PATHS}", paths, DEADLINE, False, b""))
    first, second = call.intents
    assert [(hop.pool, hop.token_in, hop.token_out) for hop in first.hops] == [(POOL, DAI, USDC), (OTHER_POOL, USDC, WETH)]
    assert (first.size, second.size, second.token_in) == (ExactIn(11, 22), ExactIn(33, 44), USDC)
    assert call.completeness is Completeness.EXACT


def test_exact_out_paths_state_the_maximum_first_and_stand_in_trade_order() -> None:
    path = (DAI, [(POOL, USDC, False), (OTHER_POOL, WETH, False)], 11, 22)
    (intent,) = decoded(BATCH_ROUTER, calldata(f"swapExactOut{PATHS}", [path], DEADLINE, False, b"")).intents
    assert [hop.pool for hop in intent.hops] == [POOL, OTHER_POOL]
    assert intent.size == ExactOut(22, 11)


@pytest.mark.parametrize(
    ("step", "protocol", "reason"),
    [
        ((WRAPPED, WRAPPED, True), "balancer_v3_buffer", "buffer"),
        ((POOL, POOL, False), "balancer_v3_liquidity", "liquidity"),
        ((USDC, WETH, False), "balancer_v3_liquidity", "liquidity"),
    ],
)
def test_step_that_is_no_swap_of_a_pool_leaves_the_intent_partial(step: Step, protocol: str, reason: str) -> None:
    (intent,) = decoded(BATCH_ROUTER, path_in(DAI, [(OTHER_POOL, USDC, False), step])).intents
    assert [hop.protocol for hop in intent.hops] == ["balancer_v3", protocol]
    assert intent.completeness is Completeness.PARTIAL
    assert reason in intent.reason


def test_wrapping_alone_is_no_swap() -> None:
    assert decoded(BATCH_ROUTER, path_in(DAI, [(WRAPPED, WRAPPED, True)])).completeness is Completeness.NOT_A_SWAP


def test_path_without_a_step_is_malformed() -> None:
    with pytest.raises(MalformedCalldata, match="no step"):
        decoded(BATCH_ROUTER, path_in(DAI, []))


def test_permits_and_multicalls_are_unwrapped() -> None:
    permits = [(DAI, SENDER, ROUTER, 11, 1, DEADLINE)]
    batch = ([(DAI, 11, DEADLINE, 1)], ROUTER, DEADLINE)
    call = decoded(ROUTER, calldata(PERMITS, permits, [b"signature"], batch, b"signature", [single("ExactIn")]))
    assert call.commands == ("permitBatchAndCall", "swapSingleTokenExactIn")
    assert (call.intents[0].recipient, call.completeness) == (SENDER, Completeness.EXACT)
    data = calldata("multicall(bytes[])", [path_in(DAI, [(POOL, USDC, False)])])
    assert decoded(BATCH_ROUTER, data).commands == ("multicall", "swapExactIn")


def test_adding_liquidity_is_by_name_and_no_swap() -> None:
    data = calldata("addLiquidityUnbalanced(address,uint256[],uint256,bool,bytes)", POOL, [1, 2], 3, False, b"")
    call = decoded(ROUTER, data)
    assert (call.completeness, call.commands) == (Completeness.NOT_A_SWAP, ("addLiquidityUnbalanced",))


def test_vaults_swap_is_read_and_what_it_unlocks_is_opaque() -> None:
    assert decoded(VAULT, vault_swap(0, DAI, USDC)).intents[0].size == ExactIn(11, 22)
    assert decoded(VAULT, vault_swap(1, DAI, USDC)).intents[0].size == ExactOut(11, 22)
    call = decoded(VAULT, calldata("unlock(bytes)", b"program"))
    assert (call.completeness, call.reason) == (Completeness.OPAQUE, "not understood: unlock")
    with pytest.raises(MalformedCalldata, match="no kind 2"):
        decoded(VAULT, vault_swap(2, DAI, USDC))
