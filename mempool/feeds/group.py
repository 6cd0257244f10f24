"""Several nodes as one: every node's events, and requests to one that can answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mempool.feeds.connection import first_end
from mempool.feeds.node import NodeFeed


class FeedGroup:
    """Runs its feeds side by side. Their handler hears each of them; telling sightings apart is its business."""

    def __init__(self, feeds: Sequence[NodeFeed]) -> None:
        self.feeds = tuple(feeds)

    async def run(self) -> None:
        """Raises what the first feed to end raises."""
        await first_end(*(feed.run() for feed in self.feeds))

    async def wait_ready(self) -> None:
        """Until every feed has stood once."""
        for feed in self.feeds:
            await feed.ready.wait()

    async def request(self, method: str, params: Sequence[object], source: str = "") -> bytes:
        """Asks the node named `source` if it stands, else the first that does. Raises like `NodeFeed.request`."""
        ready = [feed for feed in self.feeds if feed.ready.is_set()]
        named = [feed for feed in ready if feed.name == source]
        return await (named or ready or self.feeds)[0].request(method, params)

    @property
    def seen(self) -> int:
        """Announcements of pending transactions, of all nodes, foreign ones and repetitions too."""
        return sum(feed.session.seen for feed in self.feeds)

    @property
    def foreign(self) -> int:
        return sum(feed.session.foreign for feed in self.feeds)

    @property
    def dropped(self) -> Counter[str]:
        """Messages of no use, by reason."""
        return sum((feed.session.dropped for feed in self.feeds), Counter[str]())
