"""Which of several streams of one book is followed: a recording may hold them side by side, each numbered apart."""

from __future__ import annotations

from mempool.model.book import BookUpdate


class Streams:
    """Of one connection. The deepest stream whose snapshot was heard wins, and keeps its book when messages of it are lost."""

    __slots__ = ("_followed",)

    def __init__(self) -> None:
        self._followed: dict[str, tuple[int, bool]] = {}
        """By symbol the stream's depth, and whether its snapshot was heard."""

    def follows(self, update: BookUpdate) -> bool:
        """Whether the update is of the stream that its symbol's book is built from, now or from here on."""
        depth, is_based = self._followed.get(update.symbol, (0, False))
        if update.stream_depth == depth:
            if update.is_snapshot and not is_based:
                self._followed[update.symbol] = depth, True
            return True
        if depth and not (update.is_snapshot and (update.stream_depth > depth or not is_based)):
            return False
        self._followed[update.symbol] = update.stream_depth, update.is_snapshot
        return True
