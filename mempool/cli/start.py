"""Where the program starts: a signal ends it silently from the first moment, while the command line is still being loaded."""

from __future__ import annotations

import os
import signal
from typing import Never

from mempool.cli.end_codes import END_CODES


def start() -> None:
    """Load the command line, which takes some tenths of a second, and run it with its own ways of ending."""
    heeded = [number for number in END_CODES if signal.getsignal(number) is not signal.SIG_IGN]
    found = {number: signal.signal(number, end) for number in heeded}
    from mempool.cli.main import main

    for number, handler in found.items():
        signal.signal(number, handler)
    main()


def end(number: int, frame: object) -> Never:
    """Nothing has been opened yet, so there is nothing to clean up."""
    os._exit(END_CODES[signal.Signals(number)])
