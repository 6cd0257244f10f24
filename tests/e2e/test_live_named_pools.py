"""Pairs called by themselves: the calls do not say of which tokens, the program asks, and then predicts and grades them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mempool.amm.uniswap_v2 import V2Pool
from scripts._devnet import addresses as at
from scripts._devnet.anvil import GWEI, AnvilOptions
from scripts._devnet.devnet import Devnet, running_devnet
from scripts._devnet.encoding import calldata, pair_address
from tests.devnet_reads import load_pool, pair_identity, raw
from tests.e2e.program import LiveProgram, Row, integrity, rows, run_once
from tests.e2e.replayed import contents, replayed, tables

pytestmark = pytest.mark.devnet
ETHER = 10**18
STRANGER = "0x" + "77" * 20
"""Answers every call with nothing."""
FACTORY_PAIR = pair_address(at.WETH, at.TAXED)


class Seller:
    """A user who pays a pair and then calls it, as a contract would do in one go."""

    def __init__(self, devnet: Devnet) -> None:
        self._devnet, self._user = devnet, devnet.users[0]
        self._nonce = int(devnet.rpc.call("eth_getTransactionCount", self._user, "latest"), 16)

    def pay(self, token: str, pair: str, amount: int) -> str:
        return self.send(token, calldata("transfer(address,uint256)", pair, amount))

    def call_pair(self, pair: str, amounts_out: tuple[int, int]) -> str:
        return self.send(pair, calldata("swap(uint256,uint256,address,bytes)", *amounts_out, self._user, b""))

    def send(self, to: str, data: str) -> str:
        body = {"from": self._user, "to": to, "data": data, "nonce": hex(self._nonce), "gas": hex(400_000)}
        fees = {"maxFeePerGas": hex(1000 * GWEI), "maxPriorityFeePerGas": hex(GWEI)}
        self._nonce += 1
        hash_: str = self._devnet.rpc.call("eth_sendTransaction", body | fees)
        return hash_


class Trade:
    """The three calls, what the program stored of them, and its capture."""

    def __init__(self, folder: Path) -> None:
        self.capture, self.folder = folder / "run.capture.gz", folder
        with (
            running_devnet(AnvilOptions(order="fees")) as devnet,
            LiveProgram([devnet.anvil.ws_url], folder, "--record", str(self.capture)) as program,
        ):
            self.db = program.db
            program.wait_until("a first block", lambda: "listening" in program.said())
            devnet.mine()
            self._sell(devnet, program)
            self.decoded, self.simulated = printed(devnet, self.first, folder)
            assert program.stop().code == 130

    def _sell(self, devnet: Devnet, program: LiveProgram) -> None:
        """Twice to the pair that is a factory's, once to what is none: before it is mined, each call has its word."""
        seller, pair = Seller(devnet), load_pool(devnet, pair_identity(at.WETH, at.TAXED))
        assert isinstance(pair, V2Pool)
        first = pair.swap_exact_in(raw(at.WETH), ETHER)
        second = first.after.swap_exact_in(raw(at.WETH), 2 * ETHER)
        assert isinstance(second.after, V2Pool)
        self.first = self._sell_one(devnet, program, seller, (ETHER, first.amount_out))
        self.second = self._sell_one(devnet, program, seller, (2 * ETHER, second.amount_out))
        devnet.rpc.call("anvil_setCode", STRANGER, "0x60006000f3")
        self.stranger = seller.call_pair(STRANGER, (0, 5))
        program.wait_for_predictions([self.stranger])
        devnet.mine()
        program.wait_for_end_of_all([self.stranger])

    def _sell_one(self, devnet: Devnet, program: LiveProgram, seller: Seller, amounts: tuple[int, int]) -> str:
        wei, amount_out = amounts
        is_first = raw(at.WETH) < raw(at.TAXED)
        seller.pay(at.WETH, FACTORY_PAIR, wei)
        hash_ = seller.call_pair(FACTORY_PAIR, (0, amount_out) if is_first else (amount_out, 0))
        program.wait_for_all([hash_], "EXISTS (SELECT 1 FROM swaps s WHERE s.hash = t.hash)")
        devnet.mine()
        program.wait_for_end_of_all([hash_])
        return hash_

    def rows(self, query: str, *values: object) -> list[Row]:
        return rows(self.db, query, *values)


def printed(devnet: Devnet, transaction_hash: str, folder: Path) -> tuple[str, str]:
    """What `decode` and `simulate` say of the transaction with a node at hand."""
    arguments = [transaction_hash, "--json", "--rpc-url", devnet.anvil.http_url]
    shown = [run_once([command, *arguments], folder / command) for command in ("decode", "simulate")]
    assert [each.code for each in shown] == [0, 0], [each.stderr for each in shown]
    return shown[0].stdout, shown[1].stdout


@pytest.fixture(scope="module")
def trade(devnet_packages: None, tmp_path_factory: pytest.TempPathFactory) -> Trade:
    return Trade(tmp_path_factory.mktemp("named"))


def test_pair_that_names_its_tokens_is_stored_with_them_predicted_and_graded_to_the_wei(trade: Trade) -> None:
    query = """SELECT t.completeness, t.reason, i.completeness, i.protocols, i.path, p.amount_in, c.cause, c.error_as_predicted
        FROM transactions t JOIN intents i ON i.transaction_id = t.id JOIN predictions p ON p.intent_id = i.id
        JOIN outcomes c ON c.prediction_id = p.id WHERE t.hash = ?"""
    path = f"{at.WETH}>{at.TAXED}"
    for hash_, wei in ((trade.first, ETHER), (trade.second, 2 * ETHER)):
        (row,) = trade.rows(query, hash_)
        assert row == ("exact", "", "exact", "uniswap_v2", path, str(wei), "exact", "0")
    assert integrity(trade.db) == "ok"


def test_token_that_came_to_light_with_the_pair_is_asked_for_its_symbol(trade: Trade) -> None:
    assert trade.rows("SELECT symbol FROM tokens WHERE address = ?", at.TAXED) == [("DTT",)]


def test_pair_is_asked_once_and_the_capture_says_when_its_answer_counted(trade: Trade) -> None:
    heard = gzip.decompress(trade.capture.read_bytes()).decode()
    assert heard.count(f"names {FACTORY_PAIR}") == 1


def test_contract_that_names_no_tokens_keeps_its_word_and_has_no_prediction(trade: Trade) -> None:
    query = """SELECT t.completeness, i.protocols, i.missed, (SELECT count(*) FROM predictions p WHERE p.intent_id = i.id)
        FROM transactions t JOIN intents i ON i.transaction_id = t.id WHERE t.hash = ?"""
    reason = f"pool {STRANGER}: the maths of uniswap_v2_unlisted is not known"
    assert trade.rows(query, trade.stranger) == [("tokens_unknown", "uniswap_v2_unlisted", reason, 0)]


def test_decode_and_simulate_ask_their_node_too(trade: Trade) -> None:
    assert '"completeness":"exact"' in trade.decoded
    assert at.TAXED in trade.decoded
    assert at.TAXED in trade.simulated
    assert '"unknown":[]' in trade.simulated


def test_replay_of_the_capture_gives_the_same_rows(trade: Trade, tmp_path: Path) -> None:
    ended, db = replayed(trade.capture, tmp_path)
    assert ended.code == 0, ended.stderr
    for table in set(tables(db)) - {"runs"}:
        assert contents(db, table) == contents(trade.db, table), table
