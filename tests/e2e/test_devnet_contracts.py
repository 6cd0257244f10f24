"""The devnet is what it claims: real code at mainnet addresses, with the pools where mainnet has them."""

from __future__ import annotations

import pytest

from mempool.model.keccak import keccak256
from mempool.resources import load_tables
from scripts._devnet import addresses as at
from scripts._devnet.contracts import placements
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import calldata, pair_address, pool_address, returned
from scripts._devnet.world import V2_MARKETS, V3_MARKETS
from tests.devnet_reads import raw

pytestmark = pytest.mark.devnet
MAINNET_WETH_USDC_PAIR = "0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc"
MAINNET_WETH_USDC_POOLS = {
    100: "0xe0554a476a092703abdb3ef35c80e0d76d32939f",
    500: "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640",
    3000: "0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8",
    10_000: "0x7bea39867e4169dbe237d55c8242a8f2fcdcc387",
}


def read(devnet: Devnet, to: str, function: str, types: str) -> object:
    answer = devnet.rpc.call("eth_call", {"to": to, "data": calldata(function)}, "latest")
    return returned(types, answer)[0]


def test_every_contract_has_code_at_its_address(devnet: Devnet) -> None:
    expected = [placement.address for placement in placements(devnet.owner)] + [at.PERMIT2]
    codes = devnet.rpc.batch(("eth_getCode", [address, "latest"]) for address in expected)
    assert [address for address, code in zip(expected, codes, strict=True) if code == "0x"] == []


def test_weth_usdc_pools_have_their_mainnet_addresses(devnet: Devnet) -> None:
    assert pair_address(at.WETH, at.USDC) == MAINNET_WETH_USDC_PAIR
    assert {fee: pool_address(at.WETH, at.USDC, fee) for fee in MAINNET_WETH_USDC_POOLS} == MAINNET_WETH_USDC_POOLS


def test_markets_lie_where_create2_puts_them(devnet: Devnet) -> None:
    derived = [pair_address(*market.tokens) for market in V2_MARKETS]
    derived += [pool_address(*market.tokens, market.fee_pips) for market in V3_MARKETS]
    codes = devnet.rpc.batch(("eth_getCode", [address, "latest"]) for address in derived)
    assert all(len(code) > 10_000 for code in codes)


def test_shipped_tables_apply_as_they_are(devnet: Devnet) -> None:
    tables = load_tables()
    assert "0x" + tables.pool_identity("uniswap_v2", raw(at.WETH), raw(at.USDC), 0).address.hex() == MAINNET_WETH_USDC_PAIR
    assert "0x" + tables.usd_pool.address.hex() == MAINNET_WETH_USDC_POOLS[500]
    here = {raw(placement.address) for placement in placements(devnet.owner)}
    assert {table.name for address, table in tables.routers.items() if address in here} == {
        "uniswap_v2_router02",
        "uniswap_v3_swap_router",
        "uniswap_swap_router02",
        "uniswap_universal_router_v1",
        "uniswap_universal_router_v1_2",
        "uniswap_universal_router_v2",
    }
    assert {raw(token.address): token.decimals for token in (at.WETH_TOKEN, *at.TOKENS)}.items() <= {
        address: token.decimals for address, token in tables.tokens.items()
    }.items()


def test_routers_name_the_real_factories(devnet: Devnet) -> None:
    assert read(devnet, at.V2_ROUTER, "factory()", "(address)") == at.V2_FACTORY
    assert read(devnet, at.V3_ROUTER, "factory()", "(address)") == at.V3_FACTORY
    assert read(devnet, at.SWAP_ROUTER_02, "factoryV2()", "(address)") == at.V2_FACTORY
    assert read(devnet, at.SWAP_ROUTER_02, "WETH9()", "(address)") == at.WETH


def test_tokens_have_their_symbols_and_decimals(devnet: Devnet) -> None:
    for token in (at.WETH_TOKEN, *at.TOKENS):
        assert read(devnet, token.address, "symbol()", "(string)") == token.symbol
        assert read(devnet, token.address, "decimals()", "(uint8)") == token.decimals


def test_permit2_is_bound_to_its_address_and_to_chain_1(devnet: Devnet) -> None:
    words = (
        keccak256(b"EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
        keccak256(b"Permit2"),
        (1).to_bytes(32, "big"),
        bytes.fromhex(at.PERMIT2[2:]).rjust(32, b"\0"),
    )
    assert read(devnet, at.PERMIT2, "DOMAIN_SEPARATOR()", "(bytes32)") == keccak256(b"".join(words))


def test_taxed_token_keeps_a_hundredth_of_a_transfer(devnet: Devnet) -> None:
    sender, receiver = devnet.users[0], "0x" + 40 * "7"
    data = calldata("transfer(address,uint256)", receiver, 1000)
    devnet.rpc.call("eth_sendTransaction", {"from": sender, "to": at.TAXED, "data": data})
    devnet.mine()
    balance = devnet.rpc.call("eth_call", {"to": at.TAXED, "data": calldata("balanceOf(address)", receiver)}, "latest")
    assert int(balance, 16) == 990
