"""Ctrl-C, SIGTERM and a closed terminal while a command listens: the first asks it to end, a second ends it at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence

from mempool.cli.end_codes import END_CODES


def heed_signals(stop: Callable[[], object]) -> Sequence[signal.Signals]:
    """From now on `stop` is called at the first, on the running event loop. The list gets the signal when it comes."""
    received: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        if received and number is signal.SIGHUP:
            return  # kernel and shell both tell of a terminal that closes
        if received:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        received.append(number)
        stop()

    loop = asyncio.get_running_loop()
    for number in END_CODES:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # else `nohup` asks to go on
            loop.add_signal_handler(number, on_signal, number)
    return received


def end_code(received: Sequence[signal.Signals]) -> int:
    """The exit code; 0 where no signal came."""
    return END_CODES[received[0]] if received else 0
