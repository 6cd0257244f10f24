"""Where commands print: data on stdout, all else on stderr, colour only where it is wanted."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Never

if TYPE_CHECKING:
    from rich.console import Console


def stdout_console() -> Console:
    """For data. Foreign text must be printed as `Text`, never as markup."""
    from rich.console import Console

    class DataConsole(Console):
        def on_broken_pipe(self) -> Never:
            """Rich would end with 1; the frame of the command line ends with 0, as for all that is printed otherwise."""
            raise BrokenPipeError

    return DataConsole(highlight=False, markup=False, emoji=False)


def choose_color(choice: str, environ: MutableMapping[str, str] = os.environ) -> None:
    """Put `--color` where every console, ours and the libraries', looks for it: in NO_COLOR and FORCE_COLOR."""
    if choice == "auto":
        return
    environ.pop("FORCE_COLOR" if choice == "never" else "NO_COLOR", None)
    environ["NO_COLOR" if choice == "never" else "FORCE_COLOR"] = "1"
