"""One call by itself on a real node: the snapshot grows until the swap fits in it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mempool.amm.uniswap_v3 import V3Pool
from mempool.decode import decode
from mempool.engine.single_shot import FIRST_WORDS_EACH_SIDE, simulate_on_node
from mempool.errors import WrongChain
from mempool.feeds.endpoint import Endpoint
from mempool.resources import load_tables
from scripts._devnet import addresses as at
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import calldata, returned

pytestmark = pytest.mark.devnet
ETHER = 10**18
EXACT_INPUT = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"


@pytest.mark.parametrize(("amount_in", "words_left_behind"), [(ETHER, 0), (8000 * ETHER, FIRST_WORDS_EACH_SIDE + 1)])
def test_v3_swap_however_far_it_goes_equals_the_router_s_own(devnet: Devnet, amount_in: int, words_left_behind: int) -> None:
    tables, user = load_tables(), devnet.users[0]
    data = calldata(EXACT_INPUT, (at.WETH, at.USDC, 100, user, 2**40, amount_in, 0, 0))
    call = decode(tables, bytes.fromhex(at.V3_ROUTER[2:]), bytes.fromhex(data[2:]), 0, bytes.fromhex(user[2:]))
    assert call is not None
    shot = simulate_on_node(Endpoint.parse(devnet.anvil.ws_url), call, tables)
    answer = devnet.rpc.call("eth_call", {"from": user, "to": at.V3_ROUTER, "data": data}, "latest")
    assert (shot.result.results[0].amount_out,) == returned("(uint256)", answer)
    assert (shot.result.unknown, shot.failures) == ((), ())
    (hop,) = shot.result.results[0].hops
    assert isinstance(hop.before, V3Pool)
    assert isinstance(hop.after, V3Pool)
    assert abs(hop.after.tick - hop.before.tick) >= 256 * words_left_behind


def test_node_of_another_chain_is_refused(devnet: Devnet) -> None:
    tables = load_tables()
    data = calldata("swapExactETHForTokens(uint256,address[],address,uint256)", 0, [at.WETH, at.USDC], at.WETH, 2**40)
    call = decode(tables, bytes.fromhex(at.V2_ROUTER[2:]), bytes.fromhex(data[2:]), ETHER, bytes(20))
    assert call is not None
    elsewhere = replace(tables, chain=replace(tables.chain, chain_id=5))
    with pytest.raises(WrongChain, match="tables are for chain 5"):
        simulate_on_node(Endpoint.parse(devnet.anvil.ws_url), call, elsewhere)
