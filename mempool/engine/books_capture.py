"""What a capture's header says of the followed books, and the books that a replay makes of its entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mempool.engine.books_followed import FollowedBooks
from mempool.engine.desk import Desk, DeskOptions
from mempool.errors import MempoolError
from mempool.feeds.capture import Entry, Mark
from mempool.feeds.venue import News
from mempool.feeds.venue_capture import SECOND_CONNECTION, VenueReplay

EXCHANGES, PAIRS, LEGS, FEES, ALL_LEGS = "exchanges", "pairs", "legs", "taker_fee_pips", "all"
END = "end"
"""The mark behind which connections are only closed: what they tell then was not heard by the run."""


def about_books(books: FollowedBooks, options: DeskOptions) -> dict[str, str]:
    """For the header: what was followed, each venue's symbols in their order, and the fees that findings were held to."""
    return {
        EXCHANGES: " ".join(venue.name for venue in books.venues),
        PAIRS: " ".join(books.pairs),
        LEGS: ALL_LEGS if books.with_all_legs else "",
        FEES: " ".join(f"{venue}={pips}" for venue, pips in options.fees.items()),
        **books.about(),
    }


def books_of(about: Mapping[str, str]) -> tuple[FollowedBooks, DeskOptions] | None:
    """The same from a header; None where it names no exchange, or an exchange or pair that this release does not know."""
    venues, pairs = about.get(EXCHANGES, "").split(), about.get(PAIRS, "").split()
    if not venues or not pairs:
        return None
    fees = dict(fee.split("=", 1) for fee in about.get(FEES, "").split() if "=" in fee)
    try:
        options = DeskOptions({venue: int(pips) for venue, pips in fees.items()})
        return FollowedBooks(venues, pairs, options.fees, with_all_legs=about.get(LEGS) == ALL_LEGS), options
    except (MempoolError, ValueError):
        return None


def passes_over_books(about: Mapping[str, str]) -> Callable[[Entry], bool]:
    """For a replay of the nodes alone: whether an entry is one of the books."""
    sources = {source for venue in about.get(EXCHANGES, "").split() for source in _sources(venue)}
    return lambda entry: _is_end(entry) or _source(entry) in sources


class BooksReplay:
    """Plays the venues' entries of a capture to the desk and its books, which hear what they heard in the run."""

    def __init__(self, desk: Desk, about: Mapping[str, str]) -> None:
        self._desk, books = desk, desk.books
        self._is_over = False
        self._venues: dict[str, VenueReplay] = {}
        for venue in books.venues:
            instruments = [venue.instrument(symbol) for symbol in about.get(venue.name, "").split()]
            replay = VenueReplay(venue, instruments, self._hear)
            books.read_depths_from(venue.name, replay.books)
            self._venues |= dict.fromkeys(_sources(venue.name), replay)

    def play(self, entry: Entry) -> bool:
        """Whether it was an entry of the books."""
        if _is_end(entry):
            self._is_over = True
            self._desk.end(entry.recv_ns)
            return True
        replay = self._venues.get(_source(entry))
        if replay is None:
            return False
        replay.play(entry)
        return True

    def _hear(self, venue: str, event: News) -> None:
        if not self._is_over:
            self._desk.books.hear(event)
            self._desk.hear(venue, event)


def _sources(venue: str) -> tuple[str, str]:
    return venue, venue + SECOND_CONNECTION


def _source(entry: Entry) -> str:
    return entry.key if isinstance(entry, Mark) else entry.source


def _is_end(entry: Entry) -> bool:
    return isinstance(entry, Mark) and entry.name == END
