"""The data files are found and read, and mistakes in them are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mempool import resources
from mempool.errors import ConfigError
from mempool.exchanges import EXCHANGES


def test_shipped_abis_and_chain_make_tables() -> None:
    assert "uniswap/SwapRouter02" in resources.read_abis()
    assert resources.read_chain().chain_id == 1
    assert len(resources.load_tables().routers) == len(resources.read_chain().routers)


def test_unknown_chain_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no chain 'nowhere'; there are arbitrum, base, bsc, ethereum, polygon"):
        resources.read_chain("nowhere")


def test_name_of_a_chain_is_no_path() -> None:
    with pytest.raises(ConfigError, match="no chain"):
        resources.read_chain("../default")


def test_mistake_in_a_chains_file_names_the_file_and_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = (resources.ROOT / "config" / "chains" / "ethereum.toml").read_text()
    broken = tmp_path / "config" / "chains" / "odd.toml"
    broken.parent.mkdir(parents=True)
    broken.write_text(shipped.replace("chain_id = 1\n", 'chain_id = "one"\n'))
    monkeypatch.setattr(resources, "ROOT", tmp_path)
    with pytest.raises(ConfigError, match=r"odd.toml.*chain_id"):
        resources.read_chain("odd")
    broken.write_text("colour = 3\n" + shipped)
    with pytest.raises(ConfigError, match=r"odd.toml.*colour"):
        resources.read_chain("odd")


def test_missing_or_broken_abis_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "ROOT", tmp_path)
    with pytest.raises(ConfigError, match="no ABI tables"):
        resources.read_abis()
    (tmp_path / "abis").mkdir()
    (tmp_path / "abis" / "Odd.json").write_text("[")
    with pytest.raises(ConfigError, match=r"Odd.json"):
        resources.read_abis()


def test_every_exchange_has_a_takers_fee_below_two_percent() -> None:
    fees = resources.load_taker_fees()
    assert set(fees) == set(EXCHANGES)
    assert all(0 < fee < 20_000 for fee in fees.values())


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("[okx]\ntaker_fee_pips = -1", "okx|taker_fee_pips"),
        ("[okx]\ntaker_fee_pips = 1000000", "taker_fee_pips"),
        ("[okx]\ntaker_fee = 1", "taker_fee`"),
        ("[okx", r"exchanges\.toml"),
    ],
)
def test_mistake_in_the_exchanges_file_names_the_file_and_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, about: str
) -> None:
    monkeypatch.setattr(resources, "ROOT", tmp_path)
    with pytest.raises(ConfigError, match=r"no .*exchanges\.toml: install"):
        resources.load_taker_fees()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "exchanges.toml").write_text(text)
    with pytest.raises(ConfigError, match=about) as told:
        resources.load_taker_fees()
    assert "exchanges.toml" in str(told.value)
    assert "from 0 to 999999" in str(told.value)
