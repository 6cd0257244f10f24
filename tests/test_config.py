"""Settings: which of two wins, and that a wrong one is named with its place and its fix."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mempool.config import Settings, load_settings, user_file, variable_of
from mempool.errors import ConfigError

ROOT = Path(__file__).parent.parent
KEYED = "wss://node.example/v3/CANARY-0123456789"


def environment(home: Path, **variables: str) -> dict[str, str]:
    return {"HOME": str(home), **variables}


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_default_file_documents_every_setting_with_its_default() -> None:
    documented = tomllib.loads((ROOT / "config" / "default.toml").read_text())
    defaults = {key: getattr(Settings(), key) for key in Settings.__struct_fields__}
    assert documented == {key: list(value) if isinstance(value, tuple) else value for key, value in defaults.items()}


def test_each_source_wins_over_the_one_below(tmp_path: Path) -> None:
    directory = tmp_path / "here"
    directory.mkdir()
    environ = environment(tmp_path)
    assert load_settings(environ, directory).settings.db == "mempool.sqlite"
    user = write(user_file(environ), 'db = "user.sqlite"\nkeep = "7d"\n')
    assert load_settings(environ, directory).settings.db == "user.sqlite"
    write(directory / "mempool.toml", 'db = "here.sqlite"\n')
    assert load_settings(environ, directory).settings.db == "here.sqlite"
    loaded = load_settings({**environ, "MEMPOOL_DB": "variable.sqlite"}, directory)
    assert (loaded.settings.db, loaded.settings.keep) == ("variable.sqlite", "7d")
    assert loaded.origins == {"db": "variable MEMPOOL_DB", "keep": str(user)}


def test_user_file_follows_xdg_config_home(tmp_path: Path) -> None:
    assert user_file({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "mempool" / "config.toml"
    assert user_file(environment(tmp_path)) == tmp_path / ".config" / "mempool" / "config.toml"


def test_node_urls_come_from_the_variable_that_other_tools_use(tmp_path: Path) -> None:
    environ = environment(tmp_path, ETH_RPC_URL=f"{KEYED} ws://127.0.0.1:8545", MEMPOOL_MIN_PROFIT="0.25")
    settings = load_settings(environ, tmp_path).settings
    assert [url.reveal() for url in settings.rpc_url] == [KEYED, "ws://127.0.0.1:8545"]
    assert settings.min_profit == 0.25
    assert "CANARY" not in repr(settings)


def test_one_url_needs_no_list(tmp_path: Path) -> None:
    write(tmp_path / "mempool.toml", f'rpc_url = "{KEYED}"\n')
    assert [url.reveal() for url in load_settings(environment(tmp_path), tmp_path).settings.rpc_url] == [KEYED]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("databse = 'x'", ["mempool.toml", "databse", "db"]),
        ("min_proft = 1", ["mempool.toml", "min_proft", "did you mean min_profit?"]),
        ("zzz = 1", ["mempool.toml", "zzz", "known keys are rpc_url"]),
        ("db = 7", ["mempool.toml", "db", "Expected `str`"]),
        ("color = 'blue'", ["mempool.toml", "color", "blue", "choose auto, always, never"]),
        ("min_profit = -1", ["mempool.toml", "min_profit", "Expected `float` >= 0"]),
        ("min_profit = nan", ["mempool.toml", "min_profit", "Expected `float` "]),
        ("rpc_url = [7]", ["mempool.toml", "rpc_url", "Expected text"]),
        ("db = ", ["mempool.toml", "not valid TOML", "Invalid value"]),
    ],
)
def test_wrong_file_is_refused_with_file_key_and_fix(tmp_path: Path, text: str, words: list[str]) -> None:
    write(tmp_path / "mempool.toml", text)
    with pytest.raises(ConfigError) as refused:
        load_settings(environment(tmp_path), tmp_path)
    assert [word for word in words if word not in str(refused.value)] == []


def test_wrong_variable_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MEMPOOL_MIN_PROFIT: min_profit"):
        load_settings(environment(tmp_path, MEMPOOL_MIN_PROFIT="much"), tmp_path)


def test_misspelt_variable_is_refused_and_a_foreign_one_is_not_ours(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean MEMPOOL_MIN_PROFIT"):
        load_settings(environment(tmp_path, MEMPOOL_MIN_PROFITS="1"), tmp_path)
    assert load_settings(environment(tmp_path, MEMPOOL_SERVICE_HOST="10.0.0.1"), tmp_path).origins == {}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_file_with_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    write(tmp_path / "mempool.toml", f'rpc_url = "{KEYED}"\n', mode)
    with pytest.raises(ConfigError, match="chmod 600") as refused:
        load_settings(environment(tmp_path), tmp_path)
    assert "CANARY" not in str(refused.value)


def test_file_without_a_key_may_be_read_by_all(tmp_path: Path) -> None:
    write(tmp_path / "mempool.toml", 'rpc_url = "ws://127.0.0.1:8545"\n', 0o644)
    assert load_settings(environment(tmp_path), tmp_path).settings.rpc_url


def test_variables_have_the_names_that_the_documentation_gives() -> None:
    assert [variable_of(key) for key in ("rpc_url", "db", "min_profit")] == ["ETH_RPC_URL", "MEMPOOL_DB", "MEMPOOL_MIN_PROFIT"]
