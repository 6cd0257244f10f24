"""Finds and reads the data files: ABI tables, chains and exchanges, in a checkout, an editable install or a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from mempool.books.money import FeesPips
from mempool.decode import DecodeTables, build_tables
from mempool.errors import ConfigError
from mempool.model.chain import Chain
from mempool.model.consolidated import PIPS

_PACKAGE = Path(__file__).parent
_IN_WHEEL = _PACKAGE / "_data"
ROOT = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent
"""Holds `abis/` and `config/`."""


class _Venue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One exchange's table."""

    taker_fee_pips: Annotated[int, msgspec.Meta(ge=0, lt=PIPS)]


def load_tables(name: str = "ethereum") -> DecodeTables:
    """The decoding tables of a chain that has a file in `config/chains/`. Raises `ConfigError`."""
    return build_tables(read_chain(name), read_abis())


def read_abis() -> dict[str, list[dict[str, Any]]]:
    """Every ABI table by its path below `abis/` without the ending, such as `uniswap/SwapRouter02`."""
    folder = ROOT / "abis"
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise ConfigError(f"no ABI tables in {folder}: install mempool again, or run it from a whole checkout")
    return {path.relative_to(folder).as_posix().removesuffix(".json"): _read_abi(path) for path in paths}


def chain_names() -> list[str]:
    """The chains that have a file."""
    return sorted(path.stem for path in (ROOT / "config" / "chains").glob("*.toml"))


def read_chain(name: str = "ethereum") -> Chain:
    """One chain's file. Raises `ConfigError` with the file, the key and what is wrong with it."""
    if name not in chain_names():
        raise ConfigError(f"no chain {name!r}; there are {', '.join(chain_names()) or 'none'}")
    path = ROOT / "config" / "chains" / f"{name}.toml"
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Chain)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: {error}") from error


def load_taker_fees() -> FeesPips:
    """The taker's fee of each venue's base tier. Raises `ConfigError` with the file, the key and what is wrong with it."""
    path = ROOT / "config" / "exchanges.toml"
    try:
        venues = msgspec.toml.decode(path.read_bytes(), type=dict[str, _Venue])
    except OSError as error:
        raise ConfigError(f"no {path}: install mempool again, or run it from a whole checkout") from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: {error}; a venue's table holds taker_fee_pips, from 0 to {PIPS - 1}") from error
    return {name: venue.taker_fee_pips for name, venue in venues.items()}


def _read_abi(path: Path) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[dict[str, Any]])
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
