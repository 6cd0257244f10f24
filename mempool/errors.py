"""Every error that leaves the package: one tree, typed fields, and the exit code that the command line gives it."""

from __future__ import annotations

from typing import ClassVar


class MempoolError(Exception):
    """The root. `exit_code` is what the command line ends with when nothing catches it."""

    exit_code: ClassVar[int] = 1


class UsageError(MempoolError):
    """The command was called wrongly."""

    exit_code = 2


class ConfigError(MempoolError):
    """A configuration file, key or value is wrong; the message names the file, the key and the fix."""

    exit_code = 3


class UpstreamError(MempoolError):
    """A node or a venue cannot be reached, or answers what it must not; never holds a URL's secret part."""

    exit_code = 4


class WrongChain(UpstreamError):
    """The node is on another chain than the tables are for."""

    def __init__(self, expected: int, received: int) -> None:
        super().__init__(f"the node is on chain {received}, the tables are for chain {expected}: use a node of that chain")
        self.expected, self.received = expected, received


class RpcError(UpstreamError):
    """A JSON-RPC request was answered with an error object."""

    def __init__(self, method: str, code: int, reason: str) -> None:
        super().__init__(f"{method}: the node answered {code}: {reason}")
        self.method, self.code, self.reason = method, code, reason


class BadData(MempoolError):
    """Input that was read from a file or a peer is not what it must be."""

    exit_code = 5


class MalformedCalldata(BadData):
    """Calldata that its router would revert on; with `refused`, valid but beyond the reader's budget."""

    def __init__(self, selector: bytes, reason: str, *, refused: bool = False) -> None:
        super().__init__(f"0x{selector.hex()}: {reason}")
        self.selector, self.reason, self.refused = selector, reason, refused


class CaptureError(BadData):
    """A capture file cannot be read on from some line."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


class StoreError(MempoolError):
    """The database cannot be opened, read or written."""

    exit_code = 7


class NewerSchema(StoreError):
    """The database was written by a later release."""

    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(f"{path} has schema {found}, this release knows {known}: upgrade mempool or name another file")
        self.path, self.found, self.known = path, found, known


class StateUnknown(MempoolError):
    """A computation needs a piece of pool state that was not loaded; unknown is never taken for zero."""

    def __init__(self, pool: bytes, missing: str) -> None:
        super().__init__(f"pool 0x{pool.hex()}: {missing} is not known")
        self.pool, self.missing = pool, missing


class TicksUnknown(StateUnknown):
    """A swap, or a size, goes beyond the ticks that were loaded; a snapshot of more of them helps."""


class SwapImpossible(MempoolError):
    """The pool itself would revert on this swap."""

    def __init__(self, pool: bytes, reason: str) -> None:
        super().__init__(f"pool 0x{pool.hex()}: {reason}")
        self.pool, self.reason = pool, reason
