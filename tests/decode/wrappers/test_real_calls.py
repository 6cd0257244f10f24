"""Real wrapped calls are read through to what they carry, and what they carry is what the block then did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mempool.decode import decode
from mempool.decode.wrappers import WRAPPERS
from mempool.model.swap import Completeness, DecodedCall
from tests.decode.calls import tables
from tests.decode.mined_calls import block_of
from tests.decode.test_shared_blocks import is_ordered_part, swap_pools, traded_pools


class Mined(NamedTuple):
    """A wrapped call, as it was sent and mined."""

    call: DecodedCall
    transaction: dict[str, Any]
    receipt: dict[str, Any]


def wrapped_calls(folder: Path, *kinds: str) -> Iterator[Mined]:
    """Calls of the wrappers of these kinds, by their address or by their selector."""
    for path in sorted(folder.glob("mainnet/[0-9]*.json.gz")):
        block = block_of(folder, int(path.name.split(".")[0]))
        for transaction, receipt in zip(block["block"]["transactions"], block["receipts"], strict=True):
            if transaction["to"] is None:
                continue
            to, sender, data = (bytes.fromhex(transaction[key][2:]) for key in ("to", "from", "input"))
            table = tables().routers.get(to) or tables().anywhere.get(data[:4])
            if table is not None and table.kind in kinds:
                call = decode(tables(), to, data, int(transaction["value"], 16), sender)
                assert call is not None, transaction["hash"]
                yield Mined(call, transaction, receipt)


@pytest.mark.shared
def test_swaps_that_wrapped_calls_carry_are_the_pools_that_logged_them(shared_data: Path) -> None:
    seen = 0
    for call, transaction, receipt in wrapped_calls(shared_data, *WRAPPERS):
        if receipt["status"] == "0x1":
            pools = swap_pools(receipt)
            assert is_ordered_part(traded_pools(call), pools), transaction["hash"]
            assert call.completeness is not Completeness.NOT_A_SWAP or pools == [], transaction["hash"]
            seen += 1
    assert seen > 40


@pytest.mark.shared
def test_real_delegations_are_redeemed_as_the_account_that_gave_them(shared_data: Path) -> None:
    calls = [mined.call for mined in wrapped_calls(shared_data, "delegation_manager")]
    assert len(calls) == 9
    for call in calls:
        assert call.commands[:3] == ("redeemDelegations", "executeFromExecutor", "approve")
        assert call.commands.count("executeFromExecutor") in (2, 3)
    assert sum(bool(call.intents) for call in calls) >= 5


@pytest.mark.shared
def test_real_swaps_of_metamask_have_their_tokens_and_amounts_at_least(shared_data: Path) -> None:
    calls = [mined.call for mined in wrapped_calls(shared_data, "metamask_swap")]
    assert len(calls) == 15
    for call in calls:
        assert call.intents
        assert all(intent.token_in != intent.token_out for intent in call.intents)
    assert sum(call.completeness is Completeness.EXACT for call in calls) >= 11
    assert sum(call.completeness is Completeness.PARTIAL for call in calls) <= 1


@pytest.mark.shared
def test_real_operations_are_run_as_accounts_of_known_makes(shared_data: Path) -> None:
    calls = [mined.call for mined in wrapped_calls(shared_data, "entry_point")]
    assert len(calls) == 8
    for call in calls:
        assert [step.contract for step in call.steps if step.depth == 1 and step.contract] == ["account"]
        assert not [name for name in call.commands if name.startswith("reverts")]


@pytest.mark.shared
def test_real_accounts_and_safes_are_known_by_their_selectors(shared_data: Path) -> None:
    calls = [mined.call for mined in wrapped_calls(shared_data, "account", "safe")]
    assert len(calls) > 10
    assert all(call.by_selector for call in calls)
    assert not [call.reason for call in calls if call.completeness is Completeness.OPAQUE]
    assert sum(call.completeness is Completeness.EXACT for call in calls) >= 2


@pytest.mark.shared
def test_real_swap_of_lifi_collects_its_fee_and_swaps_the_rest(shared_data: Path) -> None:
    ((call, _, _),) = wrapped_calls(shared_data, "lifi_diamond")
    assert call.commands == ("swapTokensGeneric", "collectNativeFees", "swapExactETHForTokens")
    assert call.completeness is Completeness.EXACT


@pytest.mark.shared
def test_real_call_is_followed_through_three_wrappers(shared_data: Path) -> None:
    ((call, _, _),) = wrapped_calls(shared_data, "multicall3")
    assert call.commands == ("aggregate3Value", "redeemDelegations", "executeFromExecutor", "depositNative")


@pytest.mark.shared
def test_real_calls_of_proxies_are_the_swaps_behind_them(shared_data: Path) -> None:
    calls = [mined.call for mined in wrapped_calls(shared_data, "proxied_swap", "relay_approval_proxy")]
    assert len(calls) == 5
    assert all(
        intent.router not in ("coinbase_wallet_proxy", "relay_approval_proxy") for call in calls for intent in call.intents
    )
    assert all(call.intents for call in calls)
