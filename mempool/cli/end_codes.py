"""The exit codes of a program that a signal ended; those of failures stand with the errors."""

from __future__ import annotations

import signal

INTERRUPTED, TERMINATED = 130, 143
END_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
