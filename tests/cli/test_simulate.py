"""`mempool simulate` as a user meets it: a call on a block file's pools and on a node's, and clear ends for wrong input."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from mempool.amm.uniswap_v2 import amount_out_rounding_down
from mempool.cli.main import run
from mempool.errors import BadData, ConfigError, UpstreamError, UsageError
from mempool.resources import load_tables
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import calldata, returned

TABLES = load_tables()
WETH = TABLES.wrapped_native
USDC = next(address for address, token in TABLES.tokens.items() if token.symbol == "USDC")
STRANGER = b"\x99" * 20
ROUTER = next("0x" + address.hex() for address, router in TABLES.routers.items() if router.name == "uniswap_v2_router02")
PAIR = TABLES.pool_identity("uniswap_v2", WETH, USDC, 3000)
ETHER = 10**18
RESERVE_USDC, RESERVE_WETH = 40_000_000 * 10**6, 20_000 * ETHER
FOR_ONE_ETHER = amount_out_rounding_down(ETHER, RESERVE_WETH, RESERVE_USDC, 3000)
DEADLINE = 1_700_000_000


def swap_calldata(min_amount_out: int = 0, deadline: int = DEADLINE, token_out: bytes = USDC) -> str:
    """swapExactTokensForTokens of one WETH."""
    arguments = (ETHER, min_amount_out, [WETH, token_out], bytes(20), deadline)
    return "0x38ed1739" + encode(["uint256", "uint256", "address[]", "address", "uint256"], arguments).hex()


def transaction(calldata: str, to: str = ROUTER) -> dict[str, str]:
    return {"hash": "0x" + "ab" * 32, "from": "0x" + "11" * 20, "nonce": "0x0", "gas": "0x0", "value": "0x0", "to": to} | {
        "input": calldata
    }


@pytest.fixture
def block_file(tmp_path: Path) -> str:
    """A block with one transaction, and the pair's reserves before it."""
    token0_is_usdc = PAIR.token0 == USDC
    reserves = (RESERVE_USDC, RESERVE_WETH) if token0_is_usdc else (RESERVE_WETH, RESERVE_USDC)
    block = {
        "number": "0x65",
        "hash": "0x" + "65" * 32,
        "parentHash": "0x" + "64" * 32,
        "timestamp": hex(DEADLINE),
        "transactions": [transaction(swap_calldata())],
    }
    receipt = {"transactionHash": "0x" + "ab" * 32, "status": "0x1", "gasUsed": "0x0", "logs": []}
    pre_state = {f"0x{PAIR.address.hex()}": {"storage": {"0x8": hex(reserves[1] << 112 | reserves[0])}}}
    path = tmp_path / "block.json"
    path.write_text(json.dumps({"block": block, "receipts": [receipt], "pre_state": pre_state}))
    return str(path)


def simulated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["simulate", "--json", *arguments]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    shown: dict[str, Any] = json.loads(line)
    return shown


def test_json_is_one_line_with_amounts_as_strings(block_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = simulated(capsys, swap_calldata(), "--to", ROUTER, "--block-file", block_file)
    assert shown["schema"] == "mempool.simulate/1"
    assert shown["block"] == {"number": 100, "hash": "0x" + "64" * 32}
    assert (shown["would_revert"], shown["unknown"], shown["timestamp"]) == (False, [], DEADLINE)
    (intent,) = shown["intents"]
    (hop,) = intent["hops"]
    assert (intent["amount_in"], intent["amount_out"]) == (str(ETHER), str(FOR_ONE_ETHER))
    assert (hop["pool"], hop["fee_pips"], hop["amount_out"]) == (f"0x{PAIR.address.hex()}", 3000, str(FOR_ONE_ETHER))
    assert 0.003 < hop["impact_with_fee"] < 0.0032
    assert 0 < hop["impact_without_fee"] < 0.0001


def test_same_swap_comes_from_a_transaction_s_json_from_stdin_and_by_its_hash(
    block_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_json = json.dumps(transaction(swap_calldata()))
    expected = simulated(capsys, as_json, "--block-file", block_file)
    assert simulated(capsys, "0x" + "AB" * 32, "--block-file", block_file) == expected
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(as_json.encode())))
    assert simulated(capsys, "-", "--block-file", block_file) == expected


def test_text_names_the_hop_its_impact_and_the_verdict(block_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", swap_calldata(), "--to", ROUTER, "--block-file", block_file]) == 0
    out = capsys.readouterr().out
    assert "1. 1 WETH -> 1,993.9" in out
    assert re.search(r"^on the state after block 100, at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", out, re.MULTILINE)
    assert f"0x{PAIR.address.hex()} 0.3 %: 1 WETH -> " in out
    assert "% with the fee, 0.0050 % without" in out
    assert "\nwould not revert\n" in out


@pytest.mark.parametrize(
    ("calldata", "reason"),
    [
        (swap_calldata(FOR_ONE_ETHER + 1), f"too little received: {FOR_ONE_ETHER} of at least {FOR_ONE_ETHER + 1}"),
        (swap_calldata(deadline=DEADLINE - 1), "deadline passed"),
    ],
)
def test_revert_is_told_with_its_numbers(calldata: str, reason: str, block_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = simulated(capsys, calldata, "--to", ROUTER, "--block-file", block_file)
    assert shown["would_revert"] is True
    assert str(shown["reverts"]).startswith(reason)


def test_unknown_pool_is_named_and_ends_with_1(block_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", swap_calldata(token_out=STRANGER), "--to", ROUTER, "--block-file", block_file]) == 1
    assert "1. not simulated: pool 0x" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        ([swap_calldata()], UsageError.exit_code, "needs --to"),
        ([swap_calldata(), "--to", "0x1234"], UsageError.exit_code, "an address has 20 bytes, this has 2"),
        (["0xzz", "--to", ROUTER], UsageError.exit_code, "an even number of hex digits"),
        (["0xdeadbeef" + swap_calldata()[10:], "--to", "0x" + "11" * 20], UsageError.exit_code, "no listed router"),
        (["0x", "--to", ROUTER], UsageError.exit_code, "a plain transfer"),
        (["0x38ed1739", "--to", ROUTER], BadData.exit_code, "0x38ed1739"),
        ([swap_calldata(), "--to", ROUTER], ConfigError.exit_code, "set ETH_RPC_URL, or give --rpc-url URL or --block-file"),
        (["0x" + "cd" * 32], ConfigError.exit_code, "set ETH_RPC_URL"),
    ],
)
def test_wrong_input_ends_in_one_clear_line(
    arguments: list[str], exit_code: int, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ETH_RPC_URL", raising=False)
    assert run(["simulate", *arguments]) == exit_code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_file_without_state_or_without_the_transaction_says_so(block_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "0x" + "cd" * 32, "--block-file", block_file]) == UsageError.exit_code
    assert "block 101 holds no transaction" in capsys.readouterr().err
    path = Path(block_file)
    file = json.loads(path.read_text())
    path.write_text(json.dumps({"block": file["block"], "receipts": file["receipts"]}))
    assert run(["simulate", swap_calldata(), "--to", ROUTER, "--block-file", block_file]) == BadData.exit_code
    assert "no pre_state" in capsys.readouterr().err


@pytest.mark.devnet
def test_swap_on_a_node_equals_what_the_router_itself_quotes(devnet: Devnet, capsys: pytest.CaptureFixture[str]) -> None:
    deadline = 2**40
    shown = simulated(capsys, swap_calldata(deadline=deadline), "--to", ROUTER, "--rpc-url", devnet.anvil.ws_url)
    quote = calldata("getAmountsOut(uint256,address[])", ETHER, [f"0x{WETH.hex()}", f"0x{USDC.hex()}"])
    (amounts,) = returned("(uint256[])", devnet.rpc.call("eth_call", {"to": ROUTER, "data": quote}, "latest"))
    assert (shown["intents"][0]["amount_out"], shown["would_revert"]) == (str(amounts[1]), False)
    assert shown["block"]["number"] == devnet.block_number()


@pytest.mark.devnet
def test_pool_that_stands_nowhere_is_named_with_the_node_s_answer(devnet: Devnet, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [swap_calldata(token_out=STRANGER, deadline=2**40), "--to", ROUTER, "--rpc-url", devnet.anvil.http_url]
    assert run(["simulate", *arguments]) == 1
    shown = capsys.readouterr().out
    assert "no contract stands there" in shown
    assert "whether it would revert is not known" in shown


def test_node_that_is_not_there_ends_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", swap_calldata(), "--to", ROUTER, "--rpc-url", "http://127.0.0.1:9"]) == UpstreamError.exit_code
    assert "127.0.0.1" in capsys.readouterr().err
