"""The backtest on constructed blocks, one for each figure and cause, and on the recorded mainnet blocks."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from mempool.decode import DecodeTables, decode_transaction
from mempool.engine.backtest import Counts, backtest_file, count_block, report, total
from mempool.engine.block_file import read_block_file
from mempool.errors import BadData, UsageError
from mempool.feeds.frames import Account, BlockFile
from mempool.grade.swap_topics import SWAP_TOPICS
from mempool.model.block import Log
from mempool.model.keccak import keccak256
from mempool.model.swap import Completeness
from mempool.resources import load_tables
from tests.engine.blocks import (
    EXACT_IN,
    EXACT_OUT,
    OTHER_TOKEN,
    ROUTER02,
    TAXED_IN,
    TIMESTAMP,
    TOKEN,
    BlockWriter,
    pair_of,
    router_call,
    text,
)
from tests.grade.ledger import ETHER

TOPICS = {
    "Uniswap V2": "d78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",
    "Uniswap V3": "c42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
    "Uniswap V4": "40e9cecb9f5f1f1c5b9c97dec2917b7ee92e57ba5563708daca94dd84ad7112f",
    "Curve, int128 indices": "8b3e96f2b889fa771c53c981b40daf005f63f637f1869f707052d15a3dd97140",
    "Curve, uint256 indices": "b2e76ae99761dc136e598d4a629bb347eccb9532a5f8bbd72e18467c3c34cc98",
    "Curve, crypto NG": "143f1f8e861fbdeddd5b46e844b7d3ac7b86a122f36e8c463859ee6811b1f29c",
    "Curve, underlying coins": "d013ca23e77a65003c2c659c5442c00c805371b7fc1ebd4c206c41d1536bd90b",
    "Balancer V1": "908fb5ee8f16c6bc9bc3690973819f32a4d4b10188134543c88706e0e1d43378",
    "Balancer V2": "2170c741c41531aec20e7c107c24eecfdd15e69c9bb0a8dd37b1840b9e0b207b",
    "Balancer V3": "0874b2d545cb271cdbda4e093020c452328b24af12382ed62c4d00f5c26709db",
    "PancakeSwap V3": "19b47279256b2a23a1665c810c8d55a1758940ee09377d4f8d26497a3577dc83",
}
"""As logged on mainnet."""


@pytest.fixture(scope="module")
def tables() -> DecodeTables:
    return load_tables()


@pytest.fixture
def block(tables: DecodeTables) -> BlockWriter:
    return BlockWriter(pair_of(tables, tables.wrapped_native, TOKEN), pair_of(tables, TOKEN, OTHER_TOKEN))


def counted(block: BlockWriter, tables: DecodeTables, tmp_path: Path, *, with_state: bool = True) -> Counts:
    counts = backtest_file(block.write(tmp_path / "block.json.gz", with_state=with_state), tables).counts
    check_sums(counts)
    return counts


def check_sums(counts: Counts) -> None:
    assert counts.decoded + counts.partial + counts.opaque + counts.missed == counts.swap_transactions <= counts.transactions
    assert sum(counts.calls.values()) <= counts.transactions
    assert sum(counts.missed_by.values()) == sum(counts.missed_calls.values()) == counts.missed
    assert sum(counts.partial_by.values()) == counts.partial
    logs = counts.logs
    assert logs.intents_true + logs.intents_undone + logs.intents_false == logs.intents
    left = logs.logs_inside_a_transfer + logs.logs_of_a_hidden_part + logs.logs_unexplained
    assert logs.logs_asked_for + left == logs.logs
    assert sum(counts.opaque_by.values()) == counts.opaque
    assert counts.hops_simulated + counts.hops_without_state + counts.hops_without_maths == counts.hops_decoded
    assert counts.hops_exact + counts.hops_explained + counts.hops_unexplained == counts.hops_simulated
    assert sum(counts.explained_by.values()) == counts.hops_explained


def test_topics_are_those_that_mainnet_logs() -> None:
    assert {family: topic.hex() for topic, family in SWAP_TOPICS.items()} == TOPICS


def test_swap_is_predicted_on_what_the_transactions_before_it_left(
    block: BlockWriter, tables: DecodeTables, tmp_path: Path
) -> None:
    path = [tables.wrapped_native, TOKEN]
    for amount in (ETHER, 3 * ETHER, 2 * ETHER):
        block.ledger.swap(block.first, path[0], amount)
        block.add(router_call(EXACT_IN, amount, 0, path))
    counts = counted(block, tables, tmp_path)
    assert (counts.transactions, counts.decoded, counts.hops_exact) == (3, 3, 3)


def test_transaction_to_an_unlisted_contract_is_missed_but_still_moves_the_pool(
    block: BlockWriter, tables: DecodeTables, tmp_path: Path
) -> None:
    weth = tables.wrapped_native
    block.ledger.swap(block.first, weth, 9 * ETHER)
    block.add(b"\x12\x34\x56\x78", to=b"\x99" * 20)
    block.ledger.swap(block.first, weth, ETHER)
    block.add(router_call(EXACT_IN, ETHER, 0, [weth, TOKEN]))
    counts = counted(block, tables, tmp_path)
    assert (counts.missed_by, counts.hops_exact, counts.hops_simulated) == ({"not_a_listed_router": 1}, 1, 1)


def test_pair_that_is_called_directly_is_named_by_its_own_slots_where_a_listed_factory_proves_it(
    block: BlockWriter, tables: DecodeTables, tmp_path: Path
) -> None:
    pair = block.second
    paid = block.ledger.swap(pair, TOKEN, ETHER)
    arguments = encode(["uint256", "uint256", "address", "bytes"], [0, paid, b"\x11" * 20, b""])
    block.add(keccak256(b"swap(uint256,uint256,address,bytes)")[:4] + arguments, to=pair.address)
    unnamed = counted(block, tables, tmp_path)
    assert (unnamed.decoded, unnamed.calls, unnamed.hops_simulated) == (1, {"tokens_unknown": 1}, 0)
    storage = block.pre_state[text(pair.address)]["storage"]
    storage |= {"0x6": text(TOKEN), "0x7": text(OTHER_TOKEN)}
    named = counted(block, tables, tmp_path)
    assert (named.decoded, named.calls, named.hops_simulated) == (1, {"exact": 1}, 1)
    storage["0x7"] = text(tables.wrapped_native)
    assert counted(block, tables, tmp_path).calls == {"tokens_unknown": 1}


def test_deployment_that_swaps_is_missed_as_such(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    block.ledger.swap(block.first, tables.wrapped_native, ETHER)
    block.add(b"\x60\x80", to=None)
    assert counted(block, tables, tmp_path).missed_by == {"contract_creation": 1}


def test_liquidity_call_whose_token_swaps_ends_by_name_as_not_a_swap(
    block: BlockWriter, tables: DecodeTables, tmp_path: Path
) -> None:
    block.ledger.swap(block.first, TOKEN, ETHER, payer=TOKEN)
    signature = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"
    types = ["address", "address", "uint256", "uint256", "uint256", "uint256", "address", "uint256"]
    values = [tables.wrapped_native, TOKEN, ETHER, ETHER, 0, 0, b"\x51" * 20, TIMESTAMP]
    block.add(keccak256(signature.encode())[:4] + encode(types, values))
    assert counted(block, tables, tmp_path).missed_by == {"not_a_swap": 1}


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_each_listed_event_makes_a_successful_transaction_a_swap(
    topic: str, block: BlockWriter, tables: DecodeTables, tmp_path: Path
) -> None:
    for topics, succeeded in (
        ((bytes.fromhex(topic),), True),
        ((bytes(32),), True),
        ((), True),
        ((bytes.fromhex(topic),), False),
    ):
        block.ledger.logs.append(Log(b"\x77" * 20, topics, b""))
        block.add(b"", to=b"\x99" * 20, succeeded=succeeded)
    counts = counted(block, tables, tmp_path)
    assert (counts.transactions, counts.swap_transactions) == (4, 1)


def test_pool_that_received_less_is_fee_on_transfer(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    block.ledger.swap(block.first, TOKEN, 9 * ETHER)
    block.add(router_call(TAXED_IN, 10 * ETHER, 0, [TOKEN, tables.wrapped_native]))
    assert counted(block, tables, tmp_path).explained_by == {"fee_on_transfer": 1}


def test_token_that_sells_its_fee_moves_the_pool_inside_the_transaction(
    block: BlockWriter, tables: DecodeTables, tmp_path: Path
) -> None:
    block.ledger.swap(block.first, TOKEN, 5 * ETHER, payer=TOKEN)
    block.ledger.swap(block.first, TOKEN, 10 * ETHER)
    block.add(router_call(TAXED_IN, 10 * ETHER, 0, [TOKEN, tables.wrapped_native]))
    assert counted(block, tables, tmp_path).explained_by == {"moved_inside_transaction": 1}


def test_hop_behind_a_taxed_one_is_upstream(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    bought = block.ledger.swap(block.second, OTHER_TOKEN, 9 * ETHER)
    block.ledger.swap(block.first, TOKEN, bought, payer=block.second.address)
    block.add(router_call(TAXED_IN, 10 * ETHER, 0, [OTHER_TOKEN, TOKEN, tables.wrapped_native]))
    assert counted(block, tables, tmp_path).explained_by == {"fee_on_transfer": 1, "upstream": 1}


def test_pair_that_charges_another_fee_is_explained_by_it(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    block.ledger.swap(block.first, tables.wrapped_native, ETHER, fee_pips=2000)
    block.add(router_call(EXACT_IN, ETHER, 0, [tables.wrapped_native, TOKEN]))
    assert counted(block, tables, tmp_path).explained_by == {"other_fee": 1}


def test_amount_that_no_cause_accounts_for_is_unexplained(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    block.ledger.settle(block.first, tables.wrapped_native, ETHER, 2 * ETHER + 123_456_789)
    block.add(router_call(EXACT_IN, ETHER, 0, [tables.wrapped_native, TOKEN]))
    assert counted(block, tables, tmp_path).hops_unexplained == 1


def test_exact_out_is_exact_in_its_amount_in(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    paid = block.first.swap_exact_out(tables.wrapped_native, 7 * ETHER).amount_in
    block.ledger.settle(block.first, tables.wrapped_native, paid, 7 * ETHER)
    block.add(router_call(EXACT_OUT, 7 * ETHER, 2 * paid, [tables.wrapped_native, TOKEN]))
    assert counted(block, tables, tmp_path).hops_exact == 1


def test_reverts_are_right_missed_or_false_alarms(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    path = [tables.wrapped_native, TOKEN]
    too_much = 5_000 * ETHER
    block.add(router_call(EXACT_IN, ETHER, too_much, path), succeeded=False)
    block.add(router_call(EXACT_IN, ETHER, 0, path, deadline=TIMESTAMP - 1), succeeded=False)
    block.add(router_call(EXACT_IN, ETHER, 0, path), succeeded=False)
    block.ledger.swap(block.first, path[0], ETHER)
    block.add(router_call(EXACT_IN, ETHER, too_much, path))
    counts = counted(block, tables, tmp_path)
    assert counts.reverts == {"right": 2, "missed": 1, "false_alarm": 1}
    assert (counts.swap_transactions, counts.hops_decoded) == (1, 1)


def test_call_after_its_deadline_is_expected_to_revert_without_any_pool(
    block: BlockWriter, tables: DecodeTables, tmp_path: Path
) -> None:
    block.forget(block.first)
    late = router_call(EXACT_IN, ETHER, 0, [tables.wrapped_native, TOKEN], deadline=TIMESTAMP - 1)
    block.add(late, succeeded=False)
    assert counted(block, tables, tmp_path).reverts == {"right": 1, "missed": 0, "false_alarm": 0}
    assert sum(counted(block, tables, tmp_path, with_state=False).reverts.values()) == 0


def test_absent_slot_is_unknown_and_not_zero(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    weth = tables.wrapped_native
    block.forget(block.first)
    block.ledger.swap(block.first, weth, ETHER)
    block.add(router_call(EXACT_IN, ETHER, 0, [weth, TOKEN]))
    block.ledger.swap(block.second, TOKEN, ETHER)
    block.add(router_call(EXACT_IN, ETHER, 0, [TOKEN, OTHER_TOKEN]))
    block.add(router_call(EXACT_IN, ETHER, 0, [weth, TOKEN]), succeeded=False)
    counts = counted(block, tables, tmp_path)
    assert (counts.hops_decoded, counts.hops_without_state, counts.hops_exact) == (2, 1, 1)
    assert sum(counts.reverts.values()) == 0


def test_file_without_state_has_decoding_figures_only(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    block.ledger.swap(block.first, tables.wrapped_native, ETHER)
    block.add(router_call(EXACT_IN, ETHER, 0, [tables.wrapped_native, TOKEN]))
    block.add(router_call(EXACT_IN, ETHER, 0, [tables.wrapped_native, TOKEN]), succeeded=False)
    counts = counted(block, tables, tmp_path, with_state=False)
    assert (counts.decoded, counts.hops_decoded, counts.hops_without_state, counts.hops_simulated) == (1, 1, 1, 0)
    assert sum(counts.reverts.values()) == 0


ACTIONS = st.sampled_from(["exact", "taxed", "foreign", "reverts", "off", "unknown pool", "own sale"])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(ACTIONS, st.integers(10**15, 10**19)), max_size=12))
def test_figures_add_up_for_any_mixture(tables: DecodeTables, tmp_path: Path, actions: list[tuple[str, int]]) -> None:
    weth = tables.wrapped_native
    block = BlockWriter(pair_of(tables, weth, TOKEN), pair_of(tables, TOKEN, OTHER_TOKEN))
    block.forget(block.second)
    for action, amount in actions:
        if action == "unknown pool":
            block.ledger.swap(block.second, TOKEN, amount)
            block.add(router_call(EXACT_IN, amount, 0, [TOKEN, OTHER_TOKEN]))
            continue
        if action == "own sale":
            block.ledger.swap(block.first, TOKEN, amount, payer=TOKEN)
        received = amount * 9 // 10 if action == "taxed" else amount
        paid = block.ledger.swap(block.first, TOKEN, received)
        if action == "off":
            block.ledger.settle(block.first, TOKEN, received, max(1, paid // 3))
        call = router_call(TAXED_IN, amount, 0, [TOKEN, weth])
        is_foreign = action == "foreign"
        block.add(
            b"\xde\xad\xbe\xef" + call[4:] if is_foreign else call,
            to=b"\x99" * 20 if is_foreign else ROUTER02,
            succeeded=action != "reverts",
        )
    counts = counted(block, tables, tmp_path)
    named = [action for action, _ in actions]
    assert counts.transactions == len(actions)
    assert counts.missed == named.count("foreign")
    assert counts.hops_without_state == named.count("unknown pool")


def test_report_lists_the_files_and_their_total(block: BlockWriter, tables: DecodeTables, tmp_path: Path) -> None:
    block.ledger.swap(block.first, tables.wrapped_native, ETHER)
    block.add(router_call(EXACT_IN, ETHER, 0, [tables.wrapped_native, TOKEN]))
    once = backtest_file(block.write(tmp_path / "a.json"), tables)
    shown = report([once, backtest_file(block.write(tmp_path / "b.json.gz"), tables)])
    assert shown["schema"] == "mempool.backtest/1"
    files: Any = shown["files"]
    assert [(each["file"], each["block"], each["hops_exact"]) for each in files] == [
        (str(tmp_path / "a.json"), 100, 1),
        (str(tmp_path / "b.json.gz"), 100, 1),
    ]
    assert shown["total"] == doubled({key: value for key, value in files[0].items() if key not in ("file", "block")})


def doubled(figures: Any) -> Any:
    return {key: doubled(value) for key, value in figures.items()} if isinstance(figures, dict) else 2 * figures


def test_total_of_nothing_is_zero() -> None:
    assert total([]) == Counts()


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (b"", "block file"),
        (b"{}", "block file"),
        (b"\x1f\x8b\x08\x00garbage", "gzip"),
        (gzip.compress(b'{"block": {}}')[:-9], "gzip"),
        (gzip.compress(b"not json"), "block file"),
        (b'{"block": null, "receipts": []}', "block file"),
    ],
    ids=["empty", "no block", "bad gzip", "cut gzip", "zipped prose", "null block"],
)
def test_unreadable_file_is_bad_data_that_names_file_and_cause(raw: bytes, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.json.gz"
    path.write_bytes(raw)
    with pytest.raises(BadData, match=rf"broken\.json\.gz: .*{cause}"):
        read_block_file(path)


def test_receipts_of_another_block_are_bad_data(block: BlockWriter, tmp_path: Path) -> None:
    block.add(b"")
    body = block.body()
    body["receipts"] = []
    path = tmp_path / "block.json"
    path.write_text(json.dumps(body))
    with pytest.raises(BadData, match="belong together"):
        read_block_file(path)


def test_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_block_file(tmp_path / "absent.json")


@pytest.mark.shared
def test_recorded_blocks_are_exact_or_explained(shared_data: Path, tables: DecodeTables) -> None:
    results = [backtest_file(path, tables).counts for path in proven_blocks(shared_data)]
    for counts in results:
        check_sums(counts)
    together = total(results)
    assert len(results) == 16
    assert together.hops_simulated >= 150
    assert together.hops_exact >= 0.8 * together.hops_simulated
    assert (together.hops_unexplained, together.hops_without_state) == (0, 0)


@pytest.mark.shared
def test_recorded_call_to_a_listed_router_is_a_swap_or_by_name_none(shared_data: Path, tables: DecodeTables) -> None:
    for path in proven_blocks(shared_data):
        for transaction in read_block_file(path).block.transactions:
            call = decode_transaction(tables, transaction)
            assert call is None or call.intents or (call.completeness is Completeness.NOT_A_SWAP and call.commands), call


@pytest.mark.shared
def test_recorded_swap_transactions_are_counted_as_the_json_has_them(shared_data: Path, tables: DecodeTables) -> None:
    topics = {f"0x{topic}" for topic in TOPICS.values()}
    for path in sorted((shared_data / "mainnet").glob("[0-9]*.json.gz")):
        receipts = json.loads(gzip.decompress(path.read_bytes()))["receipts"]
        swaps = [receipt for receipt in receipts if receipt["status"] == "0x1" and topics & first_topics(receipt)]
        result = backtest_file(path, tables)
        assert (result.counts.transactions, result.counts.swap_transactions) == (len(receipts), len(swaps))
        assert str(result.block) in path.name


@pytest.mark.shared
def test_recorded_blocks_without_state_have_decoding_figures_only(shared_data: Path, tables: DecodeTables) -> None:
    for path in sorted((shared_data / "mainnet").glob("2*.json.gz")):
        counts = backtest_file(path, tables).counts
        check_sums(counts)
        assert counts.decoded
        assert counts.hops_simulated == 0


@pytest.mark.shared
def test_slots_taken_out_of_recorded_blocks_leave_hops_without_state_and_never_wrong(
    shared_data: Path, tables: DecodeTables
) -> None:
    chance = random.Random(5)
    without_state = 0
    for path in proven_blocks(shared_data):
        block_file = read_block_file(path)
        whole, thinned = count_block(block_file, tables), count_block(without_some_slots(block_file, chance), tables)
        check_sums(thinned)
        assert (thinned.decoded, thinned.hops_decoded) == (whole.decoded, whole.hops_decoded)
        assert thinned.hops_unexplained == 0
        assert thinned.hops_exact <= whole.hops_exact
        without_state += thinned.hops_without_state
    assert without_state > 0


def without_some_slots(block_file: BlockFile, chance: random.Random) -> BlockFile:
    pre_state = {
        address: Account({slot: value for slot, value in account.storage.items() if chance.random() < 0.7})
        for address, account in (block_file.pre_state or {}).items()
    }
    return structs.replace(block_file, pre_state=pre_state)


def first_topics(receipt: dict[str, Any]) -> set[str]:
    return {topic for log in receipt["logs"] for topic in log["topics"][:1]}


def proven_blocks(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "mainnet").glob("1*.json.gz"))
