"""The exit codes of a program that a signal ended; those of failures stand with the errors."""

from __future__ import annotations

import signal

HUNG_UP, INTERRUPTED, TERMINATED = 129, 130, 143
END_CODES = {signal.SIGHUP: HUNG_UP, signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
