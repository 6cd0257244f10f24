"""`mempool routers`, run as a command."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mempool.cli.main import run
from mempool.model.chain import Evidence
from mempool.resources import chain_names, load_tables


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    assert run(["routers", "--json", *options]) == 0
    return [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_contract_of_every_chain_is_listed_with_its_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(capsys, "--all")
    for name in chain_names():
        chain = load_tables(name).chain
        names = {row["name"] for row in rows if row["chain"] == name}
        assert names == {router.name for router in chain.routers} | {contract.name for contract in chain.anywhere}
    assert {row["tested"] for row in rows} <= {evidence.value for evidence in Evidence}
    assert all(row["schema"] == "mempool.routers/1" for row in rows)


def test_functions_carry_their_selectors_and_commands_their_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["name"]: row for row in listed(capsys, "--chain", "ethereum")}
    router = rows["uniswap_v2_router02"]
    assert router["address"] == "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
    assert {"selector": "0x38ed1739", "name": "swapExactTokensForTokens", "decoded": True} in router["functions"]
    commands = rows["uniswap_universal_router_v2"]["commands"]
    assert {"id": "0x00", "name": "V3_SWAP_EXACT_IN", "decoded": True} in commands


def test_table_tells_people_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["routers", "--chain", "ethereum"]) == 0
    shown = capsys.readouterr().out
    assert "ethereum, chain 1" in shown
    assert "Uniswap V2 Router02" in shown
    assert "real call" in shown


def test_unknown_chain_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["routers", "--chain", "nowhere"]) == 3
    assert "ethereum" in capsys.readouterr().err
