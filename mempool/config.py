"""The settings, from flag to default: flag > environment > ./mempool.toml > the user's config.toml > default.

The command line lays its flags over what stands here. `config/default.toml` documents every key; an unknown one is an error.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, field

from mempool.errors import ConfigError
from mempool.model.secret import NodeUrl, holds_secret

PREFIX = "MEMPOOL_"
VARIABLES = {"rpc_url": "ETH_RPC_URL"}
"""Keys whose environment variable is not `MEMPOOL_` and the key, since other tools have a name for it already."""


class Settings(Struct, frozen=True, kw_only=True):
    """Every key, its type and its default. A key is the long flag of the same name on each command that has it."""

    rpc_url: tuple[NodeUrl, ...] = ()
    """Nodes to listen to: ws, wss, http or https URLs, or paths of IPC sockets."""
    chain: str = "ethereum"
    """A table in `config/chains/`."""
    db: str = "mempool.sqlite"
    """The SQLite file."""
    keep: str = ""
    """How long rows are kept, such as 7d; empty keeps all."""
    min_profit: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    """Findings below this profit in the native token are not stored."""
    color: Literal["auto", "always", "never"] = "auto"
    """Colour on a terminal, always, or never; NO_COLOR is honoured."""


class LoadedSettings(Struct, frozen=True):
    """The settings, and for each key that is not at its default where its value came from."""

    settings: Settings
    origins: dict[str, str] = field(default_factory=dict)


def load_settings(environ: Mapping[str, str], directory: Path) -> LoadedSettings:
    """Read the user's file, `mempool.toml` in `directory` and the environment, the later over the earlier.

    Raises `ConfigError` that names the file (or variable), the key and the fix.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for path in (user_file(environ), directory / "mempool.toml"):
        for key, value in read_file(path).items():
            values[key], origins[key] = value, str(path)
    for key, variable in variables_set(environ):
        values[key], origins[key] = read_text(key, environ[variable], f"variable {variable}"), f"variable {variable}"
    return LoadedSettings(Settings(**values), origins)


def user_file(environ: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/mempool/config.toml`, by default under `~/.config`."""
    base = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME") or "/") / ".config"
    return Path(base) / "mempool" / "config.toml"


def variable_of(key: str) -> str:
    """The environment variable of a key."""
    return VARIABLES.get(key, PREFIX + key.upper())


def variables_set(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Keys that the environment sets, with their variable. A near miss of one of ours is an error, a foreign one is not ours."""
    known = {variable_of(key): key for key in Settings.__struct_fields__}
    for variable, text in environ.items():
        if variable in known:
            if text:
                yield known[variable], variable
        elif variable.startswith(PREFIX):
            key = variable.removeprefix(PREFIX).lower()
            if near := difflib.get_close_matches(key, Settings.__struct_fields__, 1, 0.8):
                raise ConfigError(f"variable {variable}: no such setting, did you mean {variable_of(near[0])}?")


def read_file(path: Path) -> dict[str, Any]:
    """The values of one file, {} where there is none."""
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be read: {problem.strerror}") from problem
    try:
        table = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path}: not valid TOML: {problem}") from problem
    values = {key: read_value(key, value, str(path)) for key, value in table.items()}
    check_private(path, values)
    return values


def read_value(key: str, value: object, origin: str) -> object:
    """One value as its type asks. A single text serves where several are allowed."""
    if key not in Settings.__struct_fields__:
        near = difflib.get_close_matches(key, Settings.__struct_fields__, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"known keys are {', '.join(Settings.__struct_fields__)}"
        raise ConfigError(f"{origin}: unknown key {key}: {hint}")
    if key == "rpc_url" and isinstance(value, str):
        value = [value]
    return converted(key, value, origin, strict=True)


def read_text(key: str, text: str, origin: str) -> object:
    """One value from a variable's text; several are parted by white space."""
    return converted(key, text.split() if key == "rpc_url" else text, origin, strict=False)


def converted(key: str, value: object, origin: str, *, strict: bool) -> object:
    try:
        return msgspec.convert(value, TYPES[key], strict=strict, dec_hook=_node_url)
    except (msgspec.ValidationError, TypeError) as problem:
        choices = f": choose {', '.join(get_args(TYPES[key]))}" if get_origin(TYPES[key]) is Literal else ""
        raise ConfigError(f"{origin}: {key}: {problem}{choices}") from problem


def check_private(path: Path, values: Mapping[str, Any]) -> None:
    """A file that holds a key may be read by its owner alone, as ssh asks of a private key."""
    secret = any(holds_secret(url.reveal()) for url in values.get("rpc_url", ()))
    if secret and path.stat().st_mode & 0o077:
        raise ConfigError(f"{path}: others can read it, and rpc_url holds a key: chmod 600 {path}")


def _node_url(kind: type, value: object) -> NodeUrl:
    if kind is not NodeUrl or not isinstance(value, str):
        raise TypeError("Expected text")
    return NodeUrl(value)


TYPES: dict[str, Any] = {item.name: item.type for item in msgspec.structs.fields(Settings)}
