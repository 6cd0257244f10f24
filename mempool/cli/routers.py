"""`mempool routers`: what is covered, on each chain, and what each router's decoding is tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mempool.cli.console import stdout_console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from mempool.decode import DecodeTables, RouterTable

SCHEMA = "mempool.routers/1"
COLUMNS = ("contract", "address", "functions", "tested on")
WIDE = 120
"""A terminal may wrap the rows; a folded address is of no use to whoever copies it."""
_ANYWHERE = "known by its functions"
_ONLY_INSIDE = "inside other calls"


def routers_command(
    chain: Annotated[str, typer.Option(metavar="NAME", help="The chain's tables.")] = "ethereum",
    all_chains: Annotated[bool, typer.Option("--all", help="Every chain that there are tables for.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line (schema mempool.routers/1).")] = False,
) -> None:
    """List the routers, wrappers and pools whose calls are decoded.

    Each is tested on a real call where one is at hand, else on one that ran on a local chain with the real contract, else on
    one that was constructed from the published ABI.

    \b
    Examples:
      mempool routers
      mempool routers --all --json
    """
    from mempool.resources import chain_names, load_tables

    for name in chain_names() if all_chains else [chain]:
        tables = load_tables(name)
        if as_json:
            import orjson

            for row in rows(tables):
                typer.echo(orjson.dumps(row).decode())
        else:
            console = stdout_console()
            console.width = max(console.width, WIDE)
            console.print(table(tables))


def contracts(tables: DecodeTables) -> Iterator[tuple[RouterTable, str]]:
    """Every contract with where it is found: its address, or in words."""
    for address, router in tables.routers.items():
        yield router, f"0x{address.hex()}"
    directly = {router.name for router in tables.anywhere.values()}
    for router in {router.name: router for router in tables.anywhere_inside.values()}.values():
        yield router, _ANYWHERE if router.name in directly else f"{_ANYWHERE}, {_ONLY_INSIDE}"


def rows(tables: DecodeTables) -> Iterator[dict[str, Any]]:
    """One object a contract; a function or command with `decoded` false is known by name alone."""
    for router, place in contracts(tables):
        yield {
            "schema": SCHEMA,
            "chain": tables.chain.name,
            "name": router.name,
            "label": router.label,
            "kind": router.kind,
            "address": place if place.startswith("0x") else None,
            "only_inside": place.endswith(_ONLY_INSIDE),
            "tested": router.tested.value,
            "functions": [
                {"selector": f"0x{selector.hex()}", "name": entry.name, "decoded": entry.handler is not None}
                for selector, entry in router.entries.items()
            ],
            "commands": [
                {"id": f"0x{number:02x}", "name": entry.name, "decoded": not entry.is_opaque}
                for number, entry in sorted(router.commands.items())
            ],
        }


def table(tables: DecodeTables) -> Table:
    """For people: how many functions of each are decoded, and of its commands."""
    from rich.table import Table

    found = list(contracts(tables))
    shown = Table(box=None, pad_edge=False, title_justify="left", title_style="bold")
    shown.title = f"{tables.chain.name}, chain {tables.chain.chain_id}: {len(found)} contracts"
    for column in COLUMNS:
        shown.add_column(column, overflow="fold", justify="right" if column == "functions" else "left")
    for router, place in found:
        shown.add_row(router.label, place, counted(router), router.tested.value)
    return shown


def counted(router: RouterTable) -> str:
    """`9`, or `2 + 33 commands`."""
    functions = sum(entry.handler is not None for entry in router.entries.values())
    commands = sum(not entry.is_opaque for entry in router.commands.values())
    return f"{functions} + {commands} commands" if router.commands else str(functions)
