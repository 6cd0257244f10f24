"""0x AllowanceHolder, the forwarding multicall, and the actions of a Settler at whatever address."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, decode
from mempool.decode.tables import RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.keccak import keccak256
from mempool.model.swap import ALL, BalanceIn, Completeness, DecodedCall, ExactIn, SwapIntent, Take
from tests.decode.calls import DAI, DEADLINE, ETHER, FRIEND, SENDER, USDC, WETH, calldata, split_types, tables
from tests.decode.zerox_blocks import recorded, swap_pools

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]
HOLDER = bytes.fromhex("0000000000001ff3684f28c67538d4d072c22734")
MULTICALL = bytes.fromhex("00000000000000cf9e3c5a26621af382fa17f24f")
SETTLER = b"\x5e\x77" * 10
MAKER = b"\x3a" * 20
V2_ROUTER = bytes.fromhex("7a250d5630b4cf539739df2c5dacb4c659f2488d")
NATIVE_SIGN, NATIVE = b"\xee" * 20, bytes(20)
LOWEST, HIGHEST = 4295128740, 1461446703485210103287273052203988822378723970341

EXEC = "exec(address,address,uint256,address,bytes)"
SLIPPAGE = "(address,address,uint256)"
EXECUTE = f"execute({SLIPPAGE},bytes[],bytes32)"
PERMIT = "((address,uint256),uint256,uint256)"
TRANSFER_FROM = f"TRANSFER_FROM(address,{PERMIT},bytes)"
V3 = "UNISWAPV3(address,uint256,bytes,uint256)"
V3_VIP = f"UNISWAPV3_VIP(address,{PERMIT},bytes,bytes,uint256)"
V2 = "UNISWAPV2(address,address,uint256,address,uint24,uint256)"
BASIC = "BASIC(address,uint256,address,uint256,bytes)"
VAULT = "(address,address,uint256,bool,uint256,uint256,bytes,uint256)"


def permit(token: bytes, amount: int) -> tuple[tuple[bytes, int], int, int]:
    return (token, amount), 0, DEADLINE


def funded(token: bytes = DAI, amount: int = 1000, to: bytes = SETTLER) -> bytes:
    return calldata(TRANSFER_FROM, to, permit(token, amount), b"")


def v3_path(*parts: bytes | int, limit: int | None = None, fork: int = 0) -> bytes:
    """A Settler's path: behind each fee its price limit, which older versions lack."""
    packed = b""
    for index, part in enumerate(parts):
        if isinstance(part, bytes):
            packed += part
            continue
        before, after = parts[index - 1], parts[index + 1]
        assert isinstance(before, bytes)
        assert isinstance(after, bytes)
        packed += bytes([fork]) + part.to_bytes(3)
        packed += b"" if limit is None else (limit or (LOWEST if before < after else HIGHEST)).to_bytes(20)
    return packed


def v3(share: int, *parts: bytes | int, to: bytes = SETTLER, minimum: int = 0, limit: int | None = 0) -> bytes:
    return calldata(V3, to, share, v3_path(*parts, limit=limit), minimum)


def execution(actions: list[bytes], buy_token: bytes = USDC, minimum: int = 77) -> bytes:
    return calldata(EXECUTE, (FRIEND, buy_token, minimum), actions, bytes(32))


def decoded(data: bytes, value_wei: int = 0, to: bytes = HOLDER) -> DecodedCall:
    call = decode(tables(), to, data, value_wei, SENDER)
    assert call is not None
    return call


def settled(actions: list[bytes], buy_token: bytes = USDC, minimum: int = 77, value_wei: int = 0) -> DecodedCall:
    data = execution(actions, buy_token, minimum)
    return decoded(calldata(EXEC, SETTLER, DAI, 1000, SETTLER, data), value_wei)


def settled_by(settler: bytes, data: bytes) -> tuple[SwapIntent, ...]:
    """What AllowanceHolder has a Settler do."""
    return decoded(calldata(EXEC, settler, DAI, 1000, settler, data)).intents


def settler_example(chain: DecodeTables, router: RouterTable) -> tuple[bytes, int]:
    token, other = [each for each in chain.tokens if each != chain.wrapped_native][:2]
    settler = router.address if router.kind == "zerox_settler" and router.address else SETTLER
    swap = calldata(V3, settler, 10_000, v3_path(token, 500, other, limit=0), 0)
    return execution([calldata(TRANSFER_FROM, settler, permit(token, 1000), b""), swap], other), 0


def holder_example(chain: DecodeTables, router: RouterTable) -> tuple[bytes, int]:
    data, value_wei = settler_example(chain, router)
    return calldata(EXEC, SETTLER, WETH, 1000, SETTLER, data), value_wei


def multicall_example(chain: DecodeTables, router: RouterTable) -> tuple[bytes, int]:
    data, value_wei = settler_example(chain, router)
    return calldata("multicall((address,uint8,uint256,bytes)[],uint256)", [(SETTLER, 0, 0, data)], 7), value_wei


def bridge_example(chain: DecodeTables, router: RouterTable) -> tuple[bytes, int]:
    data, value_wei = settler_example(chain, router)
    swap = calldata("SETTLER_SWAP(address,uint256,address,bytes)", WETH, 1000, SETTLER, data)
    return calldata("execute(bytes[],bytes32)", [swap], bytes(32)), value_wei


EXAMPLES: dict[str, Example] = {
    "zerox_allowance_holder": holder_example,
    "zerox_multicall": multicall_example,
    "zerox_settler": settler_example,
    "zerox_bridge_settler": bridge_example,
}


# -- paths -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, 0])
def test_paths_with_and_without_price_limits_are_read(limit: int | None) -> None:
    (intent,) = settled([funded(), v3(10_000, DAI, 100, USDC, 500, WETH, limit=limit)], WETH).intents
    assert [hop.fee_pips for hop in intent.hops] == [100, 500]
    assert (intent.size, intent.sqrt_price_limit_x96) == (BalanceIn(1000, (), 77), 0)
    assert (intent.recipient, intent.deadline, intent.completeness) == (SETTLER, DEADLINE, Completeness.EXACT)


def test_what_the_settler_gives_the_recipient_is_a_minimum_of_the_last_swap() -> None:
    call = settled([funded(), v3(10_000, DAI, 100, WETH), v3(10_000, WETH, 500, USDC)])
    assert [intent.size for intent in call.intents] == [BalanceIn(1000, (), 0), BalanceIn(0, (0,), 77)]


@pytest.mark.parametrize("leading", [b"", DAI])
def test_vip_sells_the_permit_along_a_path_with_or_without_its_first_token(leading: bytes) -> None:
    packed = leading + v3_path(DAI, 100, USDC, limit=0)[20:]
    vip = calldata(V3_VIP, SETTLER, permit(DAI, 1000), packed, b"", 5)
    (intent,) = settled([vip]).intents
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(1000, 77))
    old = calldata(f"UNISWAPV3_VIP(address,bytes,{PERMIT},bytes,uint256)", SETTLER, DAI + packed[-44:], permit(DAI, 9), b"", 5)
    assert settled([old]).intents[0].size == ExactIn(9, 77)


def test_a_limit_of_its_own_is_kept_and_parts_a_path_into_its_pools() -> None:
    assert settled([funded(), v3(10_000, DAI, 100, USDC, limit=123)]).intents[0].sqrt_price_limit_x96 == 123
    call = settled([funded(), v3(10_000, DAI, 100, WETH, 500, USDC, limit=123)])
    assert [intent.size for intent in call.intents] == [BalanceIn(1000, (), 0), BalanceIn(0, (0,), 77)]
    assert [intent.sqrt_price_limit_x96 for intent in call.intents] == [123, 123]


@pytest.mark.parametrize(("fork", "factory"), [(0, "uniswap_v3"), (1, "pancake_v3"), (2, "sushi_v3")])
def test_the_byte_before_a_fee_chooses_the_fork(fork: int, factory: str) -> None:
    swap = calldata(V3, SETTLER, 10_000, v3_path(DAI, 500, USDC, limit=0, fork=fork), 0)
    (intent,) = settled([funded(), swap]).intents
    assert intent.hops[0].pool == tables().factories[factory].hop(DAI, USDC, 500).pool
    assert intent.hops[0].protocol == factory


def test_a_fork_that_the_chain_does_not_list_leaves_the_pool_unknown() -> None:
    swap = calldata(V3, SETTLER, 10_000, v3_path(DAI, 100, USDC, limit=0, fork=3), 0)
    (intent,) = settled([funded(), swap]).intents
    assert (intent.hops[0].protocol, intent.hops[0].pool, intent.completeness) == ("solidly_v3", b"", Completeness.PARTIAL)


@pytest.mark.parametrize("path", [b"", DAI, DAI + bytes(23), v3_path(DAI, 100, USDC, limit=0)[:-1], v3_path(DAI, 100, DAI)])
def test_a_path_that_leads_nowhere_reverts(path: bytes) -> None:
    with pytest.raises(MalformedCalldata):
        settled([funded(), calldata(V3, SETTLER, 10_000, path, 0)])


# -- shares ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("quarter", "whole", "basis"), [(2500, 10_000, 10_000), (250_000, 1_000_000, 1_000_000)])
def test_shares_are_of_the_running_balance_in_either_basis(quarter: int, whole: int, basis: int) -> None:
    actions = [
        funded(),
        v3(10_000 if basis == 10_000 else whole, DAI, 100, WETH),
        v3(quarter, WETH, 500, USDC),
        v3(whole, WETH, 3000, USDC),
    ]
    call = settled(actions)
    share = Take(0, quarter, basis)
    assert call.intents[1].size == BalanceIn(0, (0,), 0, (), share)
    assert call.intents[2].size == BalanceIn(0, (0,), 0, (share,))
    assert call.joint_minimums == (BalanceIn(0, (1, 2), 77),)


@pytest.mark.parametrize("amount", [2**256 - 1, 2**256 - 5000])
def test_the_highest_amounts_are_shares_of_what_the_sender_has(amount: int) -> None:
    (intent,) = settled([funded(amount=amount), v3(10_000, DAI, 100, USDC)]).intents
    assert (intent.size, intent.completeness) == (BalanceIn(0, (), 77), Completeness.AMOUNT_UNKNOWN)


def test_a_surplus_that_is_taken_leaves_the_minimum_and_no_known_amount() -> None:
    skim = calldata("POSITIVE_SLIPPAGE(address,address,uint256,uint256)", MAKER, USDC, 100, 10_000)
    call = settled([funded(), v3(10_000, DAI, 100, USDC), skim])
    assert call.intents[0].size == BalanceIn(1000, (), 77)
    call = settled([funded(), v3(10_000, DAI, 100, USDC), skim, v3(10_000, USDC, 500, WETH)], WETH)
    assert call.intents[1].completeness is Completeness.AMOUNT_UNKNOWN


# -- pairs -----------------------------------------------------------------------------------------------------------------


def pair(token: bytes, other: bytes) -> bytes:
    return tables().factories["uniswap_v2"].hop(token, other, 3000).pool


def v2(share: int, token: bytes, other: bytes, to: bytes = SETTLER, info: int = 30 << 8) -> bytes:
    return calldata(V2, to, token, share, pair(token, other), info | (token < other), 0)


def test_a_pair_is_known_by_its_address_and_what_is_sold_after_it() -> None:
    call = settled([funded(), v2(10_000, DAI, WETH), v2(10_000, WETH, USDC)])
    assert [(intent.hops[0].protocol, intent.token_in, intent.token_out) for intent in call.intents] == [
        ("uniswap_v2", DAI, WETH),
        ("uniswap_v2", WETH, USDC),
    ]
    assert call.completeness is Completeness.EXACT


def test_without_a_share_the_pair_sells_what_it_was_paid() -> None:
    call = settled([funded(to=pair(DAI, WETH)), v2(0, DAI, WETH, pair(WETH, USDC)), v2(0, WETH, USDC)])
    assert [intent.size for intent in call.intents] == [BalanceIn(1000, (), 0), BalanceIn(0, (0,), 77)]
    assert all(intent.measures_received for intent in call.intents)


def test_a_pair_with_another_fee_is_not_simulated_and_an_unlisted_one_has_the_implied_token() -> None:
    (intent,) = settled([funded(), v2(10_000, DAI, USDC, info=25 << 8)]).intents
    assert (intent.hops[0].kind, intent.hops[0].fee_pips) == ("", 2500)
    swap = calldata(V2, SETTLER, DAI, 10_000, MAKER, 30 << 8 | 1, 0)
    (intent,) = settled([funded(), swap]).intents
    assert (intent.hops[0].pool, intent.token_out, intent.hops[0].zero_for_one) == (MAKER, USDC, True)


# -- BASIC -----------------------------------------------------------------------------------------------------------------


def basic(token: bytes, share: int, to: bytes, data: bytes = b"", offset: int = 0) -> bytes:
    return calldata(BASIC, token, share, to, offset, data)


def test_native_value_pays_a_fee_and_is_wrapped_and_sold() -> None:
    wrap = basic(NATIVE_SIGN, 10_000, WETH, bytes.fromhex("d0e30db0") + bytes(32), 4)
    call = settled([basic(NATIVE_SIGN, 100, MAKER), wrap, v3(10_000, WETH, 500, USDC)], value_wei=ETHER)
    assert call.intents[0].size == BalanceIn(ETHER * 99 // 100, (), 77)


def test_what_is_unwrapped_must_bring_the_minimum_before_the_fee_that_is_taken_of_it() -> None:
    unwrap = basic(WETH, 10_000, WETH, bytes.fromhex("2e1a7d4d") + bytes(32), 4)
    call = settled([funded(), v3(10_000, DAI, 500, WETH), unwrap, basic(NATIVE_SIGN, 100, MAKER)], NATIVE_SIGN, 9900)
    assert call.intents[0].size == BalanceIn(1000, (), 9999)


def test_a_transfer_pays_a_fee_of_the_token() -> None:
    fee = basic(DAI, 100, DAI, calldata("transfer(address,uint256)", MAKER, 0), 36)
    assert settled([funded(), fee, v3(10_000, DAI, 100, USDC)]).intents[0].size == BalanceIn(990, (), 77)


def router_swap(token: bytes, other: bytes) -> bytes:
    signature = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    return calldata(signature, 0, 3, [token, other], SETTLER, DEADLINE)


def test_a_call_of_a_listed_router_gets_the_amount_written_into_it() -> None:
    call = settled([funded(), basic(DAI, 5000, V2_ROUTER, router_swap(DAI, USDC), 4)])
    assert call.intents[0].size == ExactIn(500, 77)
    assert call.commands[-1] == "swapExactTokensForTokens"


def test_a_call_of_a_listed_router_sells_the_share_of_what_a_swap_brought() -> None:
    call = settled([funded(), v3(10_000, DAI, 100, WETH), basic(WETH, 10_000, V2_ROUTER, router_swap(WETH, USDC), 4)])
    assert call.intents[1].size == BalanceIn(0, (0,), 77, (), ALL)


def test_a_call_of_a_curve_pool_sells_the_share_wherever_its_amount_stands() -> None:
    pool = bytes.fromhex("bebc44782c7db0a1a60cb6fe97d0b483032ff1c7")
    swap = calldata("exchange(int128,int128,uint256,uint256)", 0, 1, 0, 3)
    call = settled([funded(WETH), v3(10_000, WETH, 500, DAI), basic(DAI, 10_000, pool, swap, 68)])
    assert [(hop.protocol, hop.pool) for hop in call.intents[1].hops] == [("curve", pool)]
    assert (call.intents[1].size, call.completeness) == (BalanceIn(0, (0,), 77), Completeness.EXACT)


def test_a_call_of_a_stranger_is_opaque_and_alone_leaves_tokens_and_minimum() -> None:
    call = settled([funded(), basic(DAI, 10_000, MAKER, b"\xab\xcd\xef\x01" + bytes(32), 4)])
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(1000, 77))
    assert (intent.recipient, intent.completeness) == (FRIEND, Completeness.PARTIAL)
    assert "0xabcdef01" in call.reason


def test_an_amount_beyond_the_calldata_reverts() -> None:
    with pytest.raises(MalformedCalldata, match="beyond"):
        settled([funded(), basic(DAI, 10_000, MAKER, bytes(36), 5)])


# -- fills of vaults -------------------------------------------------------------------------------------------------------


def v4_fill(share: int, kind: int, *tokens: bytes, fee: int = 3000, spacing: int = 60, limit: int = LOWEST) -> bytes:
    packed = share.to_bytes(2) + limit.to_bytes(20) + bytes([kind]) + b"".join(tokens)
    return packed + fee.to_bytes(3) + spacing.to_bytes(3) + bytes(20) + (2).to_bytes(3) + b"hi"


def v4_id(token: bytes, other: bytes, fee: int = 3000, spacing: int = 60) -> bytes:
    key = (min(token, other), max(token, other), fee, spacing, bytes(20))
    return keccak256(encode(["(address,address,uint24,int24,address)"], [key]))


def vault(name: str, packed: bytes, token: bytes = DAI, share: int = 10_000) -> bytes:
    return calldata(name + VAULT, SETTLER, token, share, False, 1, 2, packed, 5)


def test_v4_fills_are_swaps_on_pools_by_their_key() -> None:
    packed = v4_fill(10_000, 1, USDC)
    (intent,) = settled([funded(), vault("UNISWAPV4", packed)]).intents
    hop = intent.hops[0]
    assert (hop.protocol, hop.pool, hop.fee_pips, hop.tick_spacing) == ("uniswap_v4", v4_id(DAI, USDC), 3000, 60)
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, BalanceIn(1000, (), 77))
    assert intent.completeness is Completeness.EXACT


def test_v4_fills_go_through_the_native_coin_and_part_and_join() -> None:
    packed = v4_fill(4000, 1, NATIVE_SIGN) + v4_fill(10_000, 1, USDC) + v4_fill(10_000, 3, NATIVE_SIGN, USDC, limit=LOWEST)
    call = settled([funded(), vault("UNISWAPV4", packed)])
    assert [(intent.token_in, intent.token_out) for intent in call.intents] == [(DAI, NATIVE), (DAI, USDC), (NATIVE, USDC)]
    assert call.intents[0].size == BalanceIn(1000, (), 0, (), Take(0, 4000, 10_000))
    assert call.intents[2].size == BalanceIn(0, (0,), 0)
    assert call.intents[2].hops[0].pool == v4_id(NATIVE, USDC)
    assert BalanceIn(0, (1, 2), 77) in call.joint_minimums


def test_v4_fill_of_what_was_bought_sells_it_on() -> None:
    packed = v4_fill(10_000, 1, WETH) + v4_fill(10_000, 2, USDC, limit=HIGHEST)
    call = settled([funded(), vault("UNISWAPV4", packed)])
    assert [intent.size for intent in call.intents] == [BalanceIn(1000, (), 0), BalanceIn(0, (0,), 77)]


def test_v4_vip_sells_the_permit() -> None:
    signature = f"UNISWAPV4_VIP(address,{PERMIT},bool,uint256,uint256,bytes,bytes,uint256)"
    vip = calldata(signature, SETTLER, permit(DAI, 1000), False, 1, 2, v4_fill(10_000, 1, USDC), b"", 5)
    assert settled([vip]).intents[0].size == ExactIn(1000, 77)


def test_balancer_ekubo_and_pancake_fills_are_read() -> None:
    balancer = (10_000).to_bytes(2) + b"\x01" + USDC + MAKER + bytes(3)
    assert settled([funded(), vault("BALANCERV3", balancer)]).intents[0].hops[0].pool == MAKER
    config = b"\xc0" * 32
    ekubo = (10_000).to_bytes(2) + bytes(12) + b"\x01" + USDC + config
    hop = settled([funded(), vault("EKUBO", ekubo)]).intents[0].hops[0]
    assert hop.pool == keccak256(DAI.rjust(32, b"\0") + USDC.rjust(32, b"\0") + config)
    pancake = (10_000).to_bytes(2) + LOWEST.to_bytes(20) + b"\x01" + USDC + bytes(20) + b"\0" + bytes(35) + bytes(3)
    (intent,) = settled([funded(), vault("PANCAKE_INFINITY", pancake)]).intents
    assert (intent.token_out, intent.completeness) == (USDC, Completeness.PARTIAL)


@pytest.mark.parametrize("packed", [b"", b"\x01", v4_fill(10_000, 1, USDC)[:-1], v4_fill(10_000, 9, USDC), v4_fill(10_000, 0)])
def test_fills_that_do_not_fit_are_partial(packed: bytes) -> None:
    (intent,) = settled([funded(), vault("UNISWAPV4", packed)]).intents
    assert (intent.token_in, intent.token_out, intent.completeness) == (DAI, USDC, Completeness.PARTIAL)


# -- other actions ---------------------------------------------------------------------------------------------------------


def test_pools_of_other_families_are_named_with_the_tokens_that_the_actions_imply() -> None:
    maverick = calldata(
        "MAVERICKV2(address,address,uint256,address,bool,int32,uint256)", SETTLER, DAI, 10_000, MAKER, True, -5, 1
    )
    euler = calldata("EULERSWAP(address,address,uint256,address,bool,uint256)", SETTLER, WETH, 10_000, FRIEND, False, 1)
    call = settled([funded(), maverick, euler])
    assert [(intent.hops[0].protocol, intent.hops[0].pool) for intent in call.intents] == [
        ("maverick_v2", MAKER),
        ("euler_swap", FRIEND),
    ]
    assert [(intent.token_in, intent.token_out) for intent in call.intents] == [(DAI, WETH), (WETH, USDC)]
    psm = calldata("MAKERPSM(address,uint256,bool,uint256,address,address)", SETTLER, 10_000, True, 1, MAKER, DAI)
    assert settled([funded(), psm]).intents[0].token_out == USDC


def test_older_versions_have_the_permit_behind_what_is_asked_of_the_pool() -> None:
    own, fill = permit(DAI, 1000), v4_fill(10_000, 1, USDC)
    actions = [
        calldata(
            f"UNISWAPV4_VIP(address,bool,uint256,uint256,bytes,{PERMIT},bytes,uint256)", FRIEND, False, 1, 2, fill, own, b"", 5
        ),
        calldata(
            f"METATXN_UNISWAPV4_VIP(address,bool,uint256,uint256,bytes,{PERMIT},uint256)", FRIEND, False, 1, 2, fill, own, 5
        ),
        calldata(f"CURVE_TRICRYPTO_VIP(address,uint80,{PERMIT},bytes,uint256)", FRIEND, 3, own, b"", 5),
        calldata(f"METATXN_CURVE_TRICRYPTO_VIP(address,uint80,{PERMIT},uint256)", FRIEND, 3, own, 5),
        calldata(f"MAVERICKV2_VIP(address,bytes32,bool,{PERMIT},bytes,uint256)", FRIEND, bytes(32), True, own, b"", 5),
        calldata(f"METATXN_MAVERICKV2_VIP(address,bytes32,bool,{PERMIT},uint256)", FRIEND, bytes(32), True, own, 5),
    ]
    for action in actions:
        (intent,) = settled([action], minimum=0).intents
        assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(1000, 5))
        assert (intent.recipient, intent.deadline) == (FRIEND, DEADLINE)


def test_older_versions_have_the_makers_side_of_an_order_first() -> None:
    maker, taker = permit(USDC, 900), permit(DAI, 1000)
    for name, end, signature in (("RFQ_VIP", ",bytes", [b""]), ("METATXN_RFQ_VIP", "", [])):
        old = calldata(f"{name}(address,{PERMIT},address,bytes,{PERMIT}{end})", FRIEND, maker, MAKER, b"", taker, *signature)
        new = calldata(f"{name}(address,{PERMIT},{PERMIT},address,bytes{end})", FRIEND, taker, maker, MAKER, b"", *signature)
        for order in (old, new):
            (intent,) = settled([order], minimum=0).intents
            assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(1000, 900))


@pytest.mark.parametrize(
    ("signature", "own", "module"),
    [
        ("MAKERPSM(address,address,uint256,address,bool)", (USDC, 10_000, MAKER, False), MAKER),
        ("MAKERPSM(address,uint256,bool,uint256)", (10_000, False, 1), b""),
        ("MAKERPSM(address,uint256,bool,uint256,address,address)", (10_000, False, 1, MAKER, DAI), MAKER),
    ],
)
def test_makers_module_is_read_in_every_version(signature: str, own: tuple[Any, ...], module: bytes) -> None:
    dodo = calldata("DODOV1(address,uint256,address,bool,uint256)", WETH, 10_000, FRIEND, False, 0)
    fee = basic(DAI, 14, DAI, calldata("transfer(address,uint256)", FRIEND, 0), 36)
    call = settled([funded(WETH), dodo, calldata(signature, SETTLER, *own), fee], buy_token=DAI)
    assert [(intent.token_in, intent.token_out) for intent in call.intents] == [(WETH, USDC), (USDC, DAI)]
    assert [intent.hops[0].pool for intent in call.intents] == [FRIEND, module]
    assert call.intents[1].completeness is (Completeness.EXACT if module else Completeness.PARTIAL)


@pytest.mark.parametrize("next_one", ["VELODROME", "unknown"])
def test_nothing_is_implied_across_an_action_that_does_not_say_what_it_sells(next_one: str) -> None:
    velodrome = calldata("VELODROME(address,uint256,address,uint24,uint256)", SETTLER, 10_000, MAKER, 1, 0)
    dodo = calldata("DODOV1(address,uint256,address,bool,uint256)", DAI, 10_000, FRIEND, False, 0)
    call = settled([funded(), dodo, velodrome if next_one == "VELODROME" else b"\x12\x34\x56\x78"])
    assert (call.intents[0].token_in, call.intents[0].token_out) == (DAI, b"")
    assert call.intents[0].completeness is Completeness.TOKENS_UNKNOWN


def test_a_makers_order_is_partial() -> None:
    order = calldata(f"RFQ(address,{PERMIT},address,bytes,address,uint256)", SETTLER, permit(USDC, 900), MAKER, b"", DAI, 990)
    (intent,) = settled([funded(), order]).intents
    assert (intent.hops[0].protocol, intent.token_in, intent.token_out, intent.size) == ("zerox_rfq", DAI, USDC, ExactIn(990, 77))


def test_a_native_check_sets_the_deadline_and_caps_the_value() -> None:
    check = calldata("NATIVE_CHECK(uint256,uint256)", DEADLINE - 5, 7)
    assert settled([check, funded(), v3(10_000, DAI, 100, USDC)]).intents[0].deadline == DEADLINE - 5
    with pytest.raises(MalformedCalldata, match="more than the stated value"):
        settled([check], value_wei=8)


def test_a_listed_settler_is_read_where_it_is_called_directly() -> None:
    settler = bytes.fromhex("7f54f05635d15cde17a49502fedb9d1803a3be8a")
    swap = calldata(V3, settler, 10_000, v3_path(DAI, 100, USDC, limit=0), 0)
    call = decoded(execution([funded(to=settler), swap]), to=settler)
    assert (call.completeness, call.intents[0].size) == (Completeness.EXACT, BalanceIn(1000, (), 77))
    assert not call.by_selector


def test_a_settler_that_is_not_listed_is_known_by_its_functions() -> None:
    swap = calldata(V3, MAKER, 10_000, v3_path(DAI, 100, USDC, limit=0), 0)
    data = execution([funded(to=MAKER), swap])
    call = decoded(data, to=MAKER)
    assert (call.completeness, call.by_selector, call.intents) == (Completeness.EXACT, True, settled_by(MAKER, data))
    assert decode(tables(), MAKER, data[:4] + b"another function of that name", 0, SENDER) is None


def test_an_unknown_action_is_named() -> None:
    call = settled([funded(), b"\x12\x34\x56\x78"])
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, "not understood: 0x12345678")


def test_the_multicall_lets_calls_fail_where_their_policy_says_so() -> None:
    swap = execution([funded(), v3(10_000, DAI, 100, USDC)])
    signature = "multicall((address,uint8,uint256,bytes)[],uint256)"
    for policy, may_fail in ((0, False), (1, True), (2, True)):
        call = decoded(calldata(signature, [(SETTLER, policy, 0, swap)], 7), to=MULTICALL)
        assert [intent.allow_revert for intent in call.intents] == [may_fail]
    with pytest.raises(MalformedCalldata, match="no policy 3"):
        decoded(calldata(signature, [(SETTLER, 3, 0, swap)], 7), to=MULTICALL)


def test_a_bridge_settler_swaps_and_sends_on() -> None:
    inner = execution([calldata(V3_VIP, SETTLER, permit(DAI, 1000), v3_path(DAI, 100, USDC, limit=0), b"", 5)])
    swap = calldata("SETTLER_SWAP(address,uint256,address,bytes)", DAI, 1000, SETTLER, inner)
    send = calldata("BRIDGE_ERC20_TO_RELAY(address,address,bytes32)", USDC, FRIEND, bytes(32))
    data = calldata("execute(bytes[],bytes32)", [funded(), swap, send], bytes(32))
    call = decoded(calldata(EXEC, MAKER, DAI, 1000, MAKER, data))
    assert (call.completeness, call.intents[0].size) == (Completeness.EXACT, ExactIn(1000, 77))


@pytest.mark.parametrize("name", ["Settler", "BridgeSettler"])
def test_each_action_is_numbered_by_its_selector(name: str) -> None:
    rows = orjson.loads((Path(__file__).parents[2] / f"abis/0x/{name}.commands.json").read_bytes())
    for row in rows:
        signature = f"{row['name']}({','.join(map(type_of, row['inputs']))})"
        assert row["id"] == "0x" + keccak256(signature.encode())[:4].hex(), signature
        assert len(split_types(signature[signature.index("(") + 1 : -1])) == len(row["inputs"])


def type_of(parameter: dict[str, Any]) -> str:
    if not parameter["type"].startswith("tuple"):
        return str(parameter["type"])
    return f"({','.join(map(type_of, parameter['components']))}){parameter['type'].removeprefix('tuple')}"


def test_broken_calldata_is_malformed_and_nothing_else() -> None:
    packed = v4_fill(4000, 1, WETH) + v4_fill(10_000, 2, USDC)
    actions = [
        funded(),
        v2(5000, DAI, WETH),
        vault("UNISWAPV4", packed),
        basic(WETH, 10_000, V2_ROUTER, router_swap(WETH, USDC), 4),
    ]
    data = calldata(EXEC, SETTLER, DAI, 1000, SETTLER, execution(actions))
    source = random.Random(5)
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(source.randint(1, 4)):
            broken[source.randrange(4, len(broken))] = source.choice((0, 1, 2, 32, 64, 128, 255))
        try:
            decode(tables(), HOLDER, bytes(broken[: source.choice((len(broken), source.randrange(4, len(broken))))]), 0, SENDER)
        except MalformedCalldata:
            continue


@pytest.mark.shared
@pytest.mark.parametrize("to", [HOLDER, MULTICALL])
def test_real_calls_are_exact_and_trade_on_the_pools_that_logged_swaps(shared_data: Path, to: bytes) -> None:
    ((_, receipt, call),) = recorded(shared_data, to)
    assert call.completeness is Completeness.EXACT
    assert [hop.pool for intent in call.intents for hop in intent.hops] == swap_pools(receipt)
