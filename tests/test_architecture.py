"""The layers hold: each element imports lower layers and itself, and only the feeds, the store and what is above do I/O."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "mempool"
LAYERS = (
    {"errors", "metrics", "model"},
    {"abi", "amm", "books", "pending"},
    {"decode", "exchanges", "market"},
    {"simulate", "detect", "grade", "execution"},
    {"feeds", "evm", "store", "config", "resources"},
    {"engine"},
    {"observe", "api"},
    {"cli"},
    {"__main__"},
)
LAYER = {element: number for number, elements in enumerate(LAYERS) for element in elements}
IO_MODULES = {
    "asyncio",
    "socket",
    "ssl",
    "os",
    "pathlib",
    "time",
    "sqlite3",
    "aiosqlite",
    "websockets",
    "aiohttp",
    "web3",
    "subprocess",
}
LAZY_IMPORTS = {
    # Modules whose functions may import late, each for start-up time or to keep a heavy library off `--help` and `decode`.
    "mempool/api.py",
    "mempool/cli",
    "mempool/feeds/chain_reads.py",
    "mempool/store/parquet.py",
}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


def element_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_roots(path: Path) -> set[str]:
    return {module.split(".")[0] for module in imported_modules(tree_of(path))}


def offenders(faults_of: Callable[[Path], object]) -> dict[str, object]:
    """Every module with a fault, and which."""
    assert sources()
    return {relative(path): faults for path in sources() if (faults := faults_of(path))}


def test_module_imports_only_lower_layers_and_its_own_element() -> None:
    elements = {element_of(path) for path in sources()} - {"__init__"}
    assert elements - LAYER.keys() == set(), "these have no layer"

    def higher(path: Path) -> list[str]:
        element = element_of(path)
        mine = [module for module in imported_modules(tree_of(path)) if module.startswith("mempool.")]
        found = [(module, module.split(".")[1]) for module in mine if element != "__init__"]
        return [module for module, other in found if other in LAYER and other != element and LAYER[other] >= LAYER[element]]

    assert offenders(higher) == {}


def test_module_below_the_feeds_does_no_io_and_reads_no_clock() -> None:
    def forbidden(path: Path) -> set[str]:
        below = LAYER.get(element_of(path), len(LAYERS)) < LAYER["feeds"]
        return imported_roots(path) & IO_MODULES if below else set()

    assert offenders(forbidden) == {}


def test_functions_import_nothing_but_where_listed() -> None:
    def late(path: Path) -> list[str]:
        if relative(path).startswith(tuple(LAZY_IMPORTS)):
            return []
        functions = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        return [
            ast.unparse(node)
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]

    assert offenders(late) == {}


def test_modules_form_no_import_cycle() -> None:
    names = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path for path in sources()
    }
    graph = {
        name: {module for module in imported_modules(runtime_part(tree_of(path))) if module in names and module != name}
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for other in graph[name]:
                if not name.startswith(f"{other}."):  # a package is always loaded before its parts
                    visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def runtime_part(tree: ast.Module) -> ast.Module:
    """The module without what stands under `if TYPE_CHECKING:`."""
    body = [node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))]
    return ast.Module(body=body, type_ignores=[])


def test_module_has_at_most_400_lines_and_opens_with_a_sentence() -> None:
    assert offenders(lambda path: len(path.read_text().splitlines()) > 400) == {}
    assert offenders(lambda path: not ast.get_docstring(tree_of(path))) == {}


FORBIDDEN = {"eth_account", "eth_keys", "coincurve"}


def test_package_imports_no_signing_code() -> None:
    assert offenders(lambda path: imported_roots(path) & FORBIDDEN) == {}
