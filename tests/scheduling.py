"""Which tests one worker takes as a whole, so that what they share is made once."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ACROSS = {
    **dict.fromkeys(("balancer", "evidence", "padding", "v4"), "the node with all venues"),
    **dict.fromkeys(("forks", "secrets"), "an interpreter that warns"),
}
"""Modules of `e2e` by the ends of their names, and what they share."""
OF_A_MODULE = 'scope="module"'
"""What a module has that makes a fixture for all of its tests."""


def unit(test: str) -> str:
    """The unit that a test belongs to, by its id: such modules, a module with a fixture for all of it, else the test alone."""
    path = test.partition("::")[0]
    name = Path(path).stem.removeprefix("test_").removeprefix("devnet_")
    if path.startswith("tests/e2e/") and name in ACROSS:
        return ACROSS[name]
    return path if has_fixture_of_its_own(path) else test


@cache
def has_fixture_of_its_own(path: str) -> bool:
    return OF_A_MODULE in (ROOT / path).read_text()


def scheduler(config: object, log: object) -> Any:
    """`--dist loadgroup` by modules instead of marks: a test's mark is lost on its way to it (xdist 3.8 under pytest 9.2)."""
    made = importlib.import_module("xdist.scheduler").LoadGroupScheduling(config, log)
    made._split_scope = unit  # what its subclasses override
    return made
