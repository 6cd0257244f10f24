"""`scripts/bench`: measures, and prints the table or JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mempool.errors import MempoolError
from scripts._bench.figures import Options, Section, as_json, machine, show

BENCHES = {"decode": "decoding", "stream": "stream", "maths": "maths", "books": "books"}

ROOT = Path(__file__).parent.parent.parent
SHARED = Path(os.environ.get("MEMPOOL_SHARED_DATA", ROOT.parent / "shared" / "data"))
RECORDED = sorted((SHARED / "mainnet").glob("[0-9]*.json.gz"))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="decode|stream|maths|books", help="what to measure; all without a name")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="few rounds of few pieces: shows that it runs, measures nothing")
    parser.add_argument("--capture", type=Path, help="stream: the capture whose frames are sent (the bundled one)")
    parser.add_argument("--blocks", type=Path, nargs="*", help="stream: block files (those recorded beside the checkout, if any)")
    parser.add_argument(
        "--frames", type=Path, default=SHARED / "exchanges", help="books: folder of recorded frames (beside the checkout)"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}: there are {', '.join(BENCHES)}")
    about = machine()
    try:
        sections = [section for name in options.names or BENCHES for section in _measure(name, options)]
    except MempoolError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(as_json(sections, about)))
    else:
        show(sections, about)
    return 0


def _measure(name: str, options: argparse.Namespace) -> list[Section]:
    print(f"bench: {name}", file=sys.stderr)
    # Each by itself, since web3 alone takes two seconds to import.
    module: Any = importlib.import_module(f"scripts._bench.{BENCHES[name]}")
    blocks = RECORDED if options.blocks is None else options.blocks
    asked = Options(quick=options.quick, capture=options.capture, blocks=tuple(blocks), frames=options.frames)
    sections: list[Section] = module.measure(asked)
    return sections


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
