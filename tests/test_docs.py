"""The README holds: its examples run, its links lead somewhere, and every command, table and JSON schema stands in it."""

from __future__ import annotations

import ast
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer

from mempool import replay
from mempool.cli.main import app
from mempool.cli.summary import summary_lines
from mempool.store.migrations import schema_sql

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCHEMA_NAME = re.compile(r"^mempool\.[a-z_]+/\d+$")


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(README) if kind == language]


@pytest.mark.parametrize("example", blocks("python"))
def test_python_example_runs(example: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, timeout=600, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_screen_of_the_demo_is_what_the_bundled_capture_gives(tmp_path: Path) -> None:
    summary = replay(ROOT / "tests" / "fixtures" / "devnet.capture.gz", tmp_path / "demo.sqlite")
    lines = [f"{name:<10}  {text}" for name, text in summary_lines(summary.tally, Path("var/demo.sqlite"))]
    assert "\n".join(lines) in README


@pytest.mark.shared
def test_table_of_mined_blocks_is_what_the_script_prints() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "backtest_table.py"],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout.strip() in README


def commands() -> dict[str, Any]:
    """By what one types: `books`, and `books gaps` below it."""
    group: Any = typer.main.get_command(app)
    below = {f"{name} {each}": of_each for name, one in group.commands.items() for each, of_each in commands_of(one).items()}
    return {**group.commands, **below}


def commands_of(command: Any) -> dict[str, Any]:
    return getattr(command, "commands", {})


def test_every_command_stands_in_the_readme() -> None:
    assert [name for name in commands() if f"mempool {name}" not in README] == []


def test_every_mempool_line_of_the_readme_names_a_command_and_options_that_exist() -> None:
    known = commands()
    for line in re.findall(
        r"mempool ((?:[a-z]+)(?: [^`#\n]*)?)", "\n".join(blocks("sh")) + "\n".join(re.findall(r"`([^`\n]+)`", README))
    ):
        name, *words = line.split()
        assert name in known, line
        name = f"{name} {words[0]}" if words and words[0] in commands_of(known[name]) else name
        flags = {flag for option in known[name].params for flag in option.opts}
        assert [word for word in words if re.match(r"--?[a-z]", word) and word not in flags] == [], line


def test_every_script_of_the_readme_is_there_and_runs_by_itself() -> None:
    named = set(re.findall(r"\bscripts/[\w-]+", README))
    assert {"scripts/demo", "scripts/test"} <= named
    assert [name for name in named if not (ROOT / name).stat().st_mode & 0o100] == []


def test_two_commands_stand_at_the_top_of_the_readme() -> None:
    assert [line.split()[0] for line in blocks("sh")[0].splitlines()] == ["scripts/demo", "scripts/test"]
    assert len(README[: README.index("```sh")].splitlines()) <= 8


def test_links_of_the_readme_lead_to_files() -> None:
    assert [target for target in re.findall(r"\]\(([^)#:]+)\)", README) if not (ROOT / target).exists()] == []


def test_every_table_and_view_of_the_database_stands_in_the_readme() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(schema_sql())
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
    assert [name for name in names if f"`{name}`" not in README] == []


def test_every_json_schema_stands_in_the_readme() -> None:
    names = {
        node.value
        for path in (ROOT / "mempool").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SCHEMA_NAME.match(node.value)
    }
    assert [name for name in sorted(names) if f"`{name}`" not in README] == []
