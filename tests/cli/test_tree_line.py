"""Lines of printed trees: the same bytes as of rich's own `Text`, for a part of the work."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from mempool.cli.tree_line import TreeLine
from tests.decode.costs import calls_made

LINES = (
    ("transfer", ""),
    ("swap 1: ", "sell 1.5 USDC for at least 0.0004 WETH"),
    ("", "bold alone"),
    ("", ""),
    ("units of 0x1234…abcd  ", "日本語 and [red]brackets[/red]"),
    ("a\tb\nc", "d\x1b[31m\x07"),
    ("word " * 30, "bold " * 30),
    ("x" * 300, ""),
    ("ends in blanks   ", ""),
)


def printed(labels: Sequence[TreeLine | Text], width: int, *, in_color: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=in_color, color_system="truecolor" if in_color else None)
    root = Tree(labels[0])
    for label in labels:
        root.add(label).add(label)
    console.print(root)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [20, 80, 1_000])
@pytest.mark.parametrize("in_color", [False, True])
def test_lines_are_printed_as_text_is(width: int, in_color: bool) -> None:
    lines, texts = [TreeLine(*line) for line in LINES], [Text(plain).append(bold, "bold") for plain, bold in LINES]
    assert printed(lines, width, in_color=in_color) == printed(texts, width, in_color=in_color)


def test_simple_lines_take_half_of_the_work() -> None:
    lines, texts = [TreeLine("word " * 20, "bold")] * 50, [Text("word " * 20).append("bold", "bold")] * 50
    assert calls_made(lambda: printed(lines, 200)) < calls_made(lambda: printed(texts, 200)) / 2
