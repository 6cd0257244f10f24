"""Options that the commands which follow order books share."""

from __future__ import annotations

from typing import Annotated

import typer

TakerFees = Annotated[
    list[str] | None,
    typer.Option(
        "--taker-fee",
        metavar="NAME=PERCENT",
        help="Your own taker's fee at an exchange, in percent; may be repeated. Default: its base tier.",
    ),
]
Server = Annotated[str, typer.Option(metavar="URL", help="Follow simulated exchanges there, such as scripts/exchanges.")]
