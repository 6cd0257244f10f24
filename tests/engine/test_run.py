"""What a live run says of its nodes."""

from __future__ import annotations

from mempool.engine.run import connection_remarks
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.group import FeedGroup
from mempool.feeds.node import NodeFeed


def test_node_that_is_lost_and_comes_back_is_told_once_each_time() -> None:
    feed = NodeFeed(Endpoint.parse("wss://node.example/secret-key-0123456789"), "node-1", lambda _: None)
    group, stood, said = FeedGroup([feed]), dict[str, bool](), []
    for stands in (False, True, True, False, False, True):
        feed.ready.set() if stands else feed.ready.clear()
        said.append(list(connection_remarks(group, stood)))
    lost, back = "the connection is lost, trying again", "connected again"
    assert said == [[], [], [], [f"wss://node.example/***: {lost}"], [], [f"wss://node.example/***: {back}"]]
