"""What a session says to whoever drives it: quotes and states out, frames and requests to be sent."""

from __future__ import annotations

from msgspec import Struct

from mempool.model.book import BookState, Instrument, Quote


class StateChanged(Struct, frozen=True, gc=False):
    """A book's state is another one now. Where `state.is_priced` is false, its last quote is void from here on."""

    instrument: Instrument
    state: BookState


class Send(Struct, frozen=True, gc=False):
    """A frame to send on this connection: subscriptions, the venue's own pings."""

    frame: bytes
    about: str = ""
    """The symbol whose book was lost, where it asks for another snapshot; the frames of one request follow each other."""


class FetchSnapshot(Struct, frozen=True, gc=False):
    """A REST request (GET) to make; its answer belongs into `ExchangeSession.snapshot`, its failure into `snapshot_failed`."""

    instrument: Instrument
    url: str
    weight: int
    """What the request costs of the host's limit."""


class Fault(Struct, frozen=True, gc=False):
    """A message is missing, or one could not be used. Without an instrument it concerns the whole connection."""

    kind: str
    """`gap`, `mismatch`, `oracle`, `crossed`, `malformed`, `stale`, `overflow`, `venue`, `clock` or `unsynced`."""
    reason: str
    instrument: Instrument | None
    recv_ns: int


class Reconnect(Struct, frozen=True, gc=False):
    """The connection is of no use any more, or will be cut: open another one."""

    reason: str


BookEvent = Quote | StateChanged | Send | FetchSnapshot | Fault | Reconnect
