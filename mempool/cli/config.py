"""`mempool config`: the settings in force, and where each came from."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from mempool.config import load_settings, user_file, variable_of


def config_command() -> None:
    """Print the settings in force and where each came from.

    \b
    Settings are taken from, the first that has it:
      a flag, the environment, ./mempool.toml, the user's config.toml, the default
    """
    loaded = load_settings(os.environ, Path.cwd())
    for key in loaded.settings.__struct_fields__:
        value = getattr(loaded.settings, key)
        shown = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        origin = loaded.origins.get(key, f"default; set it by {variable_of(key)}")
        typer.echo(f"{key} = {shown or '(none)'}  # {origin}")
    typer.echo(f"files: {Path.cwd() / 'mempool.toml'}, {user_file(os.environ)}", err=True)
