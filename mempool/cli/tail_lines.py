"""The lines and the objects that `mempool tail` prints."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable

from rich.text import Text

from mempool.cli.book_lines import BOOK_KINDS, BookLines, clock, gap_line
from mempool.cli.durations import lasted_text
from mempool.model.display import (
    display,
    format_amount,
    format_dollars,
    format_number,
    format_percent,
    printable,
    short_address,
    token_label,
)
from mempool.store.events import EventReader

SCHEMA = "mempool.tail/1"
_JSON_COLUMNS = ("commands", "legs", "moved_by")
_REVERTS = {
    "": "",
    "right": "reverted as predicted",
    "missed": "reverted, which was not predicted: ",
    "false_alarm": "did not revert, though predicted to: ",
}
_UNWRAPS = re.compile("ForETH|ForExactETH|unwrapWETH9|UNWRAP_WETH")


def as_object(row: sqlite3.Row) -> dict[str, object]:
    """A row as JSON shows it: chain amounts as exact texts, lists as lists, foreign text sanitised once more."""
    values = {name: json.loads(row[name]) if name in _JSON_COLUMNS else row[name] for name in row.keys()}  # noqa: SIM118
    shown = {name: _printable(value) for name, value in values.items()}
    exact = {name.removesuffix("_exact"): shown.pop(name) for name in list(shown) if name.endswith("_exact")}
    return {"schema": SCHEMA, **shown, **exact}


def _printable(value: object) -> object:
    if isinstance(value, str):
        return display(value, 1_000)
    if isinstance(value, list):
        return [_printable(each) for each in value]
    return {display(name): _printable(each) for name, each in value.items()} if isinstance(value, dict) else value


class Lines:
    """Renders rows for people; remembers the tokens it has looked up."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._tokens: dict[str, _Token] = {}
        self._listed = reader.listed_symbols()
        self._protocols = reader.labels("protocol")
        books = BookLines(self._amount, self._protocols)
        self._renderers: dict[str, Callable[[sqlite3.Row], Text]] = {
            "swap": self._swap,
            "outcome": self._outcome,
            "gap": self._gap,
            **dict.fromkeys(BOOK_KINDS, books.finding),
        }

    def line(self, row: sqlite3.Row) -> Text:
        """One line without its end."""
        text = self._renderers.get(row["kind"], self._finding)(row)
        text.plain = printable(text.plain)  # whoever wrote the database: nothing foreign reaches a terminal raw
        return text

    def _swap(self, row: sqlite3.Row) -> Text:
        pays_native = bool(row["value_eth"])
        gets_native = bool(_UNWRAPS.search(f"{row['function']} {row['commands']}"))
        sold = self._amount(row["token_in"], row["amount_in_exact"], native=pays_native)
        bought = self._amount(row["token_out"], row["amount_out_exact"], native=gets_native)
        text = Text.assemble((f"{sold} -> {bought}", "bold"))
        if row["reverts"]:
            return text.append(f"  would revert: {row['reverts']}", "red").append(self._where_and_who(row))
        if row["impact"] is not None:
            text.append(f"  impact {100 * row['impact']:.2f} %")
        if row["exposed_eth"]:
            bound = "" if row["exposed_bound"] == "exact" else "at most "
            text.append(f"  exposed {bound}{format_number(row['exposed_eth'], 2)} ETH", "yellow")
        return text.append(self._where_and_who(row))

    def _finding(self, row: sqlite3.Row) -> Text:
        text = Text.assemble((row["kind"].replace("_", " "), "green"))
        if row["bound"] == "state_unknown":
            return text.append(f"  size unknown: {row['note']}").append(self._where_and_who(row))
        exact = row["net_profit_exact"] if row["net_profit_exact"] is not None else row["gross_profit_exact"]
        text.append("  at most " if row["bound"] == "upper_bound" else "  ")
        text.append(self._amount(row["profit_token"], exact))
        text.append(" after gas" if row["net_profit_exact"] is not None else " before gas")
        text.append(f"  {format_dollars(row['profit_usd'])}" if row["profit_usd"] is not None else "")
        pools = [short_address(leg["pool"]) for leg in json.loads(row["legs"])]
        text.append(f"  through {' > '.join(pools)}")
        return text.append("  reorged" if row["status"] == "reorged" else "", "red").append(self._where_and_who(row))

    def _outcome(self, row: sqlite3.Row) -> Text:
        text = Text("mined  ").append(_REVERTS[row["revert"]], "" if row["revert"] == "right" else "yellow")
        if row["cause"] == "exact":
            text.append("" if row["revert"] else "as predicted to the wei", "green")
        else:
            text.append(self._deviation(row), "yellow")
        if row["error_in_block_order"] not in (None, "0"):
            text.append(f", {self._error(row, 'error_in_block_order')} at its place in the block too", "red")
        elif row["error_as_predicted"] not in (None, "0"):
            text.append(", exact at its place in the block", "green")
        protocol = self._protocols.get(row["protocol"], row["protocol"] or "")
        return text.append("  reorged" if row["reorged"] else "", "red").append(f"  {protocol}  {short_address(row['hash'])}")

    def _deviation(self, row: sqlite3.Row) -> str:
        """How far off the prediction was and why, with those who moved the pool."""
        off = ""
        if row["error_as_predicted"] not in (None, "0"):
            share = f" ({format_percent(row['relative_error'])})" if row["relative_error"] is not None else ""
            off = f"{self._error(row, 'error_as_predicted', share)} than predicted: "
        moved_by = json.loads(row["moved_by"])
        names = f" by {', '.join(map(short_address, moved_by[:3]))}" if moved_by else ""
        return f"{off}{row['cause'].replace('_', ' ')}{names}{f' and {len(moved_by) - 3} more' if len(moved_by) > 3 else ''}"

    def _error(self, row: sqlite3.Row, column: str, share: str = "") -> str:
        """`1 USDC (0.003 %) less`, in the token whose amount the hop leaves open."""
        amount = self._amount(row["token_in"] if row["size"] == "exact_out" else row["token_out"], row[column].removeprefix("-"))
        return f"{amount}{share} {'less' if row[column].startswith('-') else 'more'}"

    def _gap(self, row: sqlite3.Row) -> Text:
        if "fault" in row.keys():  # noqa: SIM118  (a Row is no mapping: `in` looks at its values)
            return gap_line(row)
        text = f"--- no data for {lasted_text(row['to_ns'] - row['from_ns'])} ({clock(row['from_ns'])} to {clock(row['to_ns'])})"
        fetched = f", {row['backfilled']} fetched afterwards" if row["backfilled"] else ""
        return Text(f"{text}: {row['source']}: {row['reason']}{fetched} ---", "magenta")

    def _where_and_who(self, row: sqlite3.Row) -> Text:
        names = [self._protocols.get(name, name) for name in row["protocols"].split(", ")]
        return Text.assemble(f"  {', '.join(names)}  ", (short_address(row["hash"]), "dim"))

    def _amount(self, address: str | None, amount: str, *, native: bool = False) -> str:
        if address is None:
            return f"{amount} units of an unknown token"
        token = self._token(address)
        name = token.wraps if native and token.wraps else token.label
        if token.decimals is None:
            return f"{int(amount):,} units of {name}"
        return f"{format_amount(int(amount), token.decimals)} {name}"

    def _token(self, address: str) -> _Token:
        if address not in self._tokens:
            row = self._reader.tokens(address)
            if row is None:
                return _Token(short_address(address), None, "")
            label = token_label(row["symbol"], address, listed=bool(row["listed"]), listed_symbols=self._listed)
            self._tokens[address] = _Token(label, row["decimals"], row["wraps"])
        return self._tokens[address]


class _Token:
    def __init__(self, label: str, decimals: int | None, wraps: str) -> None:
        self.label, self.decimals, self.wraps = label, decimals, wraps
