"""`mempool decode`, run as a command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from mempool.cli.decode import decode_command
from mempool.errors import BadData, ConfigError, UsageError
from mempool.model.transaction import PendingTransaction
from tests.decode.calls import (
    BALANCE,
    DAI,
    DEADLINE,
    ETHER,
    FRIEND,
    SENDER,
    TO_ROUTER,
    TO_SENDER,
    USDC,
    WETH,
    address,
    calldata,
    path,
    plan,
)

SWAP = calldata(
    "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", 5 * ETHER, 7, [DAI, WETH], FRIEND, DEADLINE
)
UNIVERSAL = calldata(
    "execute(bytes,bytes[],uint256)",
    *plan(
        "ur1.2",
        [
            (0x0B, (TO_ROUTER, BALANCE)),
            (0x00, (TO_ROUTER, BALANCE, 22, path(WETH, 500, USDC), False)),
            (0x08, (TO_SENDER, BALANCE, 44, [USDC, DAI], False)),
        ],
    ),
    DEADLINE,
)
HASH = "0x" + "ab" * 32
application = typer.Typer()
application.command()(decode_command)


def hexed(data: bytes) -> str:
    return f"0x{data.hex()}"


def run(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(application, list(arguments), input=stdin)


def lines(result: Result) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in result.stdout.splitlines()]


def transaction(**changes: object) -> dict[str, object]:
    whole = {"hash": HASH, "from": hexed(SENDER), "to": hexed(address("v2")), "value": "0x0", "input": hexed(SWAP)}
    return {**whole, **changes}


def test_calldata_with_its_contract_gives_one_object_of_the_schema() -> None:
    result = run(hexed(SWAP), "--to", hexed(address("v2")), "--json")
    assert result.exit_code == 0
    assert lines(result) == [
        {
            "schema": "mempool.decode/1",
            "hash": None,
            "router": "uniswap_v2_router02",
            "selector": "0x38ed1739",
            "completeness": "exact",
            "by_selector": False,
            "commands": ["swapExactTokensForTokens"],
            "steps": [{"depth": 0, "contract": "uniswap_v2_router02", "name": "swapExactTokensForTokens", "intents": [0]}],
            "intents": [
                {
                    "router": "uniswap_v2_router02",
                    "function": "swapExactTokensForTokens",
                    "completeness": "exact",
                    "hops": [
                        {
                            "protocol": "uniswap_v2",
                            "token_in": hexed(DAI),
                            "token_out": hexed(WETH),
                            "pool": "0xa478c2975ab1ea89e8196811f51a7b7ade33eb11",
                            "fee": 3000,
                        }
                    ],
                    "size": {"kind": "exact_in", "amount": str(5 * ETHER)},
                    "limit": "7",
                    "sqrt_price_limit_x96": None,
                    "recipient": hexed(FRIEND),
                    "deadline": DEADLINE,
                    "allow_revert": False,
                    "measures_received": False,
                    "reason": "",
                }
            ],
            "joint_minimums": [],
            "extra_bytes": 0,
            "reason": "",
        }
    ]


def test_value_and_sender_fix_balances_and_recipients() -> None:
    options = ["--to", hexed(address("ur1.2")), "--value", str(3 * ETHER), "--from", hexed(SENDER), "--json"]
    first, second = lines(run(hexed(UNIVERSAL), *options))[0]["intents"]
    held = str(3 * ETHER)
    assert first["size"] == {"kind": "exact_in", "amount": held, "balance": {"held": held, "sources": []}}
    assert second["size"] == {"kind": "exact_in", "amount": None, "balance": {"held": "0", "sources": [0]}}
    assert second["recipient"] == hexed(SENDER)


def test_transaction_is_read_from_the_argument_a_file_and_a_saved_answer(tmp_path: Path) -> None:
    bare, answer = tmp_path / "bare.json", tmp_path / "answer.json"
    bare.write_bytes(orjson.dumps(transaction()))
    answer.write_bytes(orjson.dumps({"jsonrpc": "2.0", "id": 1, "result": transaction()}))
    results = [run(text, "--json").stdout for text in (orjson.dumps(transaction()).decode(), str(bare), str(answer))]
    assert len(set(results)) == 1
    assert orjson.loads(results[0])["hash"] == HASH


def test_stream_gives_one_result_a_line_and_never_stops_at_a_bad_one() -> None:
    rows = [
        orjson.dumps(transaction()),
        b"{not json",
        b"",
        orjson.dumps(transaction(to="0x12")),
        orjson.dumps(transaction(input=hexed(SWAP[:-9]))),
        orjson.dumps(transaction(to=None)),
        orjson.dumps(transaction(to=hexed(FRIEND), input=hexed(b"\xde\xad\xbe\xef" + SWAP[4:]))),
        b"\xff\xfe",
        b"[" * 100_000,
        orjson.dumps(transaction(data=hexed(SWAP), input=None)),
    ]
    result = run("-", "--json", stdin=b"\n".join(rows) + b"\n")
    words = [line["completeness"] for line in lines(result)]
    assert words == ["exact", "malformed", "malformed", "malformed", "not_a_swap", "opaque", "malformed", "malformed", "exact"]
    assert all(line["reason"] for line in lines(result) if line["completeness"] != "exact")
    assert result.exit_code == 5


def test_stream_without_an_unreadable_line_ends_well_whatever_the_calldata() -> None:
    rows = [orjson.dumps(transaction(input=hexed(SWAP[:-9]))), orjson.dumps(transaction(input="0x"))]
    result = run("-", "--json", stdin=b"\n".join(rows))
    assert [line["completeness"] for line in lines(result)] == ["malformed", "not_a_swap"]
    assert result.exit_code == 0


def test_tree_names_tokens_amounts_and_pools() -> None:
    shown = run(hexed(UNIVERSAL), "--to", hexed(address("ur1.2")), "--value", str(3 * ETHER)).stdout
    assert "Uniswap Universal Router V1.2  exact" in shown
    names = ("execute", "WRAP_ETH", "V3_SWAP_EXACT_IN", "swap 1: ", "V2_SWAP_EXACT_IN", "swap 2: ")
    places = [shown.index(name) for name in names]
    assert places == sorted(places)
    assert "swap 1: sell 3 WETH for at least 0.000022 USDC" in shown
    assert "swap 2: sell what swap 1 gives for at least 4.4e-17 DAI" in shown
    assert "uniswap_v3 0.05 %  WETH -> USDC  pool 0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640" in shown
    assert "until 2023-11-14 22:13:20 UTC" in shown


def test_foreign_text_reaches_no_terminal_as_it_came() -> None:
    evil = "\x1b[2J\x1b]8;;http://evil\x07\u202e[link=x]"
    result = run("-", stdin=orjson.dumps(transaction(hash=evil, to=evil)) + b"\n" + orjson.dumps({evil: evil}) + b"\n")
    assert not [character for character in result.stdout if not character.isprintable() and character != "\n"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([hexed(SWAP)], UsageError),
        (["no such file"], UsageError),
        ([HASH], ConfigError),
        ([hexed(SWAP), "--to", "0x12"], UsageError),
        (["0x123", "--to", hexed(FRIEND)], UsageError),
        ([hexed(SWAP), "--to", hexed(FRIEND), "--value", "-5"], UsageError),
        ([hexed(SWAP), "--to", hexed(FRIEND), "--value", "1e18"], UsageError),
        (["{}"], BadData),
        ([hexed(SWAP), "--to", hexed(FRIEND), "--chain", "nowhere"], ConfigError),
    ],
)
def test_wrong_use_is_an_error_with_its_exit_code(arguments: list[str], error: type[Exception]) -> None:
    assert isinstance(run(*arguments).exception, error)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-", "--to", hexed(FRIEND)], "--to, --value and --from go with calldata"),
        (["{}", "--value", "5"], "--to, --value and --from go with calldata"),
        ([HASH, "--from", hexed(FRIEND)], "--to, --value and --from go with calldata"),
        (
            ["0x123", "--to", hexed(FRIEND)],
            "calldata: it has an odd number of digits, 3: 0x and an even number of hex digits are wanted",
        ),
        (["0x12zz", "--to", hexed(FRIEND)], "calldata: 'z' is no hex digit"),
        (["1234", "--to", hexed(FRIEND)], "calldata: it does not begin with 0x"),
        (["0x", "--to", hexed(FRIEND)[2:]], "to: it does not begin with 0x"),
        (["0x", "--to", hexed(FRIEND), "--value", "1.5"], "value: '1.5' is no amount of wei: a whole number is wanted"),
        ([""], "nothing: no name of a file: give calldata in 0x hex with --to"),
    ],
)
def test_wrong_use_says_what_is_wrong(arguments: list[str], says: str) -> None:
    assert says in str(run(*arguments).exception)


def test_hash_is_looked_up_at_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def fetch_transaction(endpoint: object, transaction_hash: str) -> PendingTransaction:
        asked.append((str(endpoint), transaction_hash))
        return PendingTransaction(HASH, SENDER, address("v2"), 0, 0, 0, 0, 0, SWAP, 0, "node")

    monkeypatch.setattr("mempool.feeds.rest.fetch_transaction", fetch_transaction)
    result = run(HASH.upper().replace("0X", "0x"), "--rpc-url", "ws://127.0.0.1:8546", "--json")
    assert lines(result)[0]["hash"] == HASH
    assert [transaction_hash for _, transaction_hash in asked] == [HASH]


def test_decoding_imports_no_library_that_it_does_not_need() -> None:
    program = (
        "import sys, typer; from mempool.cli.decode import decode_command\n"
        "app = typer.Typer(); app.command()(decode_command)\n"
        f"app(['{hexed(SWAP)}', '--to', '{hexed(address('v2'))}'], standalone_mode=False)\n"
        "assert not {'web3', 'eth_abi', 'aiosqlite', 'websockets', 'aiohttp'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "sell 5 DAI" in done.stdout
