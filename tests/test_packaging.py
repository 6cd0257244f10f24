"""The package as it is handed out: what stands at the top, what a wheel and an sdist hold, and that their tables work."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "abis",
    "config",
    "mempool",
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements.lock",
    "scripts",
    "tests",
}
USES_THE_TABLES = """
import mempool, mempool.resources
print(mempool.__file__)
tables = mempool.resources.load_tables()
print(tables.chain.name, len(tables.routers) > 5, len(tables.tokens) > 5)
"""


def run(*command: str, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, cwd=cwd, env={**os.environ, **variables}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel and an sdist, the wheel made from the sdist, as a package index would hand them out."""
    target = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), cwd=ROOT)
    return target


def test_top_level_holds_only_what_the_layout_names() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False)
    if listed.returncode:
        names = {path.name for path in ROOT.iterdir() if path.name not in {"var", "build", "dist"}}
    else:
        names = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in names if not name.startswith(".")} - TOP_LEVEL == set()


def test_wheel_holds_the_package_and_every_table(built: Path) -> None:
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())
    tables = [path for folder in ("abis", "config") for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert tables
    assert [path for path in tables if f"mempool/_data/{path.relative_to(ROOT).as_posix()}" not in names] == []
    assert {"mempool/py.typed", "mempool/store/schema.sql", "mempool/store/books.sql", "mempool/cli/main.py"} <= names
    assert [name for name in names if name.startswith(("tests/", "scripts/"))] == []


def test_sdist_holds_what_a_checkout_needs(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "requirements.lock",
        "scripts/test",
        "tests/test_packaging.py",
    } <= names
    assert [name for name in names if "node_modules/" in name or "__pycache__" in name] == []


def test_installed_wheel_reads_its_own_tables(built: Path, tmp_path: Path) -> None:
    wheel = str(next(built.glob("*.whl")))
    target = tmp_path / "site"
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
        wheel,
        cwd=tmp_path,
    )
    shown = run(sys.executable, "-c", USES_THE_TABLES, cwd=tmp_path, PYTHONPATH=str(target)).splitlines()
    assert shown == [str(target / "mempool" / "__init__.py"), "ethereum True True"]


def test_checkout_reads_the_tables_beside_it(tmp_path: Path) -> None:
    shown = run(sys.executable, "-c", USES_THE_TABLES, cwd=tmp_path, PYTHONPATH=str(ROOT)).splitlines()
    assert shown == [str(ROOT / "mempool" / "__init__.py"), "ethereum True True"]


def test_lock_files_meet_the_requirements_and_name_no_registry() -> None:
    assert run(sys.executable, "scripts/lock_check.py", cwd=ROOT).endswith(" 0 faults\n")


def test_importing_the_package_loads_none_of_its_libraries(tmp_path: Path) -> None:
    script = "import sys, mempool\nprint(sorted({'msgspec', 'web3', 'eth_abi', 'typer', 'asyncio'} & set(sys.modules)))"
    assert run(sys.executable, "-c", script, cwd=tmp_path, PYTHONPATH=str(ROOT)) == "[]\n"


@pytest.mark.parametrize("name", ["decode", "simulate", "replay"])
def test_public_function_wins_over_the_subpackage_of_its_name(name: str, tmp_path: Path) -> None:
    script = (
        "import importlib, mempool\n"
        "import mempool.api\n"
        "for part in ('decode', 'simulate', 'engine.replay'):\n"
        "    importlib.import_module(f'mempool.{part}')\n"
        f"from mempool import {name}\n"
        f"print({name} is mempool.api.{name} and mempool.{name} is {name})"
    )
    assert run(sys.executable, "-c", script, cwd=tmp_path, PYTHONPATH=str(ROOT)) == "True\n"
