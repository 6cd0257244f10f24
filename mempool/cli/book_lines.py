"""The lines that `mempool tail` prints about order books: findings, near misses, and times without a price."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from rich.text import Text

from mempool.cli.durations import lasted_text
from mempool.model.display import format_dollars, format_number, short_address

BOOK_KINDS = ("cross_exchange", "triangular", "cex_dex", "near_miss")
Leg = Mapping[str, Any]
"""One trade as the column `legs` has it: of a book, or of a pool."""


class BookLines:
    """`amount` writes so many of a token's smallest units for people; `protocols` names the pools' families."""

    def __init__(self, amount: Callable[[str, str], str], protocols: Mapping[str, str]) -> None:
        self._amount = amount
        self._protocols = protocols
        self._ways: dict[str, Callable[[sqlite3.Row, Sequence[Leg]], str]] = {
            "cross_exchange": _across,
            "triangular": _around,
            "cex_dex": self._through_a_pool,
        }

    def finding(self, row: sqlite3.Row) -> Text:
        """A row of the view `book_findings`."""
        word = "cex-dex" if row["arbitrage"] == "cex_dex" else row["arbitrage"].replace("_", " ")
        way = self._ways.get(row["arbitrage"], _by_its_route)(row, json.loads(row["legs"]))
        if row["rejection"]:
            text = Text.assemble(("near miss", "yellow"), f"  {word}  {way}: {row['rejection'].replace('_', ' ')}: {row['note']}")
        else:
            text = Text.assemble((word, "green"), f"  {way}: {_gain(row)}{_times(row)}")
        text.append("  reorged" if row["status"] == "reorged" else "", "red")
        return text.append(f"  {short_address(row['hash'])}", "dim") if row["hash"] else text

    def _through_a_pool(self, row: sqlite3.Row, legs: Sequence[Leg]) -> str:
        pool = next(leg for leg in legs if "pool" in leg)
        trades = [leg for leg in legs if leg is not pool]
        spent, got = {leg["asset_in"] for leg in trades}, {leg["asset_out"] for leg in trades}
        # Only the asset that is traded with the pool comes from no other trade, or goes into none.
        base, rates = (spent - got, got - spent)[pool is not legs[0]], []
        venues: dict[str, None] = {}
        for leg in trades:
            if base & {leg["asset_in"], leg["asset_out"]}:
                venues[leg["venue"]] = None
            else:
                rates.append(leg)
        protocol = self._protocols.get(row["protocol"], row["protocol"] or "pool")
        where = f"in {protocol} {short_address(pool['pool'])}"
        exchanges = f"on {'+'.join(venues)}{_rates(rates)}"
        if pool is legs[0]:
            return f"buy {self._amount(pool['token_out'], pool['amount_out'])} {where}, sell {exchanges}"
        return f"buy {exchanges}, sell {self._amount(pool['token_in'], pool['amount_in'])} {where}"


def gap_line(row: sqlite3.Row) -> Text:
    """A row of the view `book_silences`, or one that stands for many."""
    if "times" in row.keys():  # noqa: SIM118  (a Row is no mapping: `in` looks at its values)
        said = f"no price {row['times']:,} times from {clock(row['from_ns'])} to {clock(row['to_ns'])}"
    elif row["to_ns"] is None:
        said = f"no price since {clock(row['from_ns'])}"
    else:
        said = f"no price for {lasted_text(row['to_ns'] - row['from_ns'])} ({clock(row['from_ns'])} to {clock(row['to_ns'])})"
    return Text(f"--- {said}: {row['source']}: {row['reason']} ---", "magenta")


def clock(ns: int) -> str:
    """The local time of day."""
    return datetime.fromtimestamp(ns / 1e9).astimezone().strftime("%H:%M:%S")


def _across(row: sqlite3.Row, legs: Sequence[Leg]) -> str:
    """What is bought at one venue is sold at the next; the others are rates between their moneys."""
    for buy, sell in pairwise(legs):
        if (buy["trade"], sell["trade"]) == ("buy", "sell"):
            rates = [leg for leg in legs if leg is not buy and leg is not sell]
            size = _number(buy["amount_out"], buy["asset_out"])
            return f"{size}: buy {buy['venue']}, sell {sell['venue']}{_rates(rates)}"
    return _by_its_route(row, legs)


def _around(_row: sqlite3.Row, legs: Sequence[Leg]) -> str:
    stops = [_number(leg["amount_in"], leg["asset_in"]) for leg in legs]
    return f"{legs[0]['venue']}: {' > '.join(stops)} > {_number(legs[-1]['amount_out'], legs[-1]['asset_out'])}"


def _by_its_route(row: sqlite3.Row, _legs: Sequence[Leg]) -> str:
    return str(row["route"])


def _rates(legs: Sequence[Leg]) -> str:
    pairs = [
        (leg["asset_out"], leg["asset_in"]) if leg["trade"] == "buy" else (leg["asset_in"], leg["asset_out"]) for leg in legs
    ]
    names = [f"{base}/{quote} {leg['venue']}" for (base, quote), leg in zip(pairs, legs, strict=True)]
    return f" through {' and '.join(dict.fromkeys(names))}" if names else ""


def _gain(row: sqlite3.Row) -> str:
    """What it gains, and in dollars where that is another money."""
    gas = " and gas" if row["pool"] else ""
    if row["net_profit"] is None:
        return f"{_number(row['gross_profit'], row['money'])} before fees{gas}"
    dollars = "" if row["profit_usd"] is None or row["money"] == "USD" else f"  {format_dollars(row['profit_usd'])}"
    least = "at least " if row["may_be_more"] else ""
    return f"{least}{_number(row['net_profit'], row['money'])} after fees{gas}{dollars}"


def _times(row: sqlite3.Row) -> str:
    """How long a gap between books has lived, and how old the oldest of their quotes is."""
    lived = "" if row["pool"] else f"  lived {_lasted(row['lived_ms'])}"
    age_ms = row["oldest_age_ms"]
    return lived if age_ms is None else f"{lived}  quotes {_lasted(age_ms)} old"


def _lasted(milliseconds: float) -> str:
    return lasted_text(round(milliseconds * 1e6))


def _number(value: float | str, unit: str) -> str:
    return f"{format_number(float(value))} {unit}"
