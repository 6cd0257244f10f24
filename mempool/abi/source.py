"""Makes a function of source text, as `dataclasses` makes `__init__`: no other plain Python reads as fast."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any


def function_of(source: str, name: str, names: Mapping[str, Any]) -> Any:
    """The function `name` that `source` defines, where `names` stand for what they do.

    The text must hold numbered names alone: what an ABI says goes into `names`. So equal layouts have equal texts, which are
    compiled once.
    """
    space = dict(names)
    exec(_compiled(source), space)  # noqa: S102 - the text holds nothing from outside
    return space[name]


@cache
def _compiled(source: str) -> CodeType:
    return compile(source, "<reader>", "exec")
