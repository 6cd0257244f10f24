"""`scripts/bench`: measures, and prints the table or JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mempool.errors import MempoolError
from scripts._bench.figures import Options, Section, as_json, machine, show

BENCHES = {"decode": "decoding", "stream": "stream", "maths": "maths"}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="decode|stream|maths", help="what to measure; all without a name")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="few rounds of few pieces: shows that it runs, measures nothing")
    parser.add_argument("--capture", type=Path, help="stream: the capture whose frames are sent (the bundled one)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}: there are {', '.join(BENCHES)}")
    about = machine()
    try:
        sections = [_measure(name, options) for name in options.names or BENCHES]
    except MempoolError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(as_json(sections, about)))
    else:
        show(sections, about)
    return 0


def _measure(name: str, options: argparse.Namespace) -> Section:
    print(f"bench: {name}", file=sys.stderr)
    # Each by itself, since web3 alone takes two seconds to import.
    module: Any = importlib.import_module(f"scripts._bench.{BENCHES[name]}")
    section: Section = module.measure(Options(quick=options.quick, capture=options.capture))
    return section


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
