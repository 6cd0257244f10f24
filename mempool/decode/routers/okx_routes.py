"""OKX's routes through adapters: batches of hops, and graphs of nodes, whose edges name a pool, a share and where the token goes.

An adapter is a contract that is given a pool and what to do with it. A pool that a listed factory made is taken for what is
swapped on; of any other the family is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.aggregators import NATIVE_ALIAS, add_shown, wrapped_token
from mempool.decode.routers.pool_words import address_in
from mempool.model.swap import ALL, BalanceIn, Completeness, ExactIn, Hop, Size, Take

WHOLE = 10_000
"""Shares are of this."""
_SHARE_SHIFT, _TO_SHIFT, _FROM_SHIFT = 160, 176, 184
_NOBODY = bytes(20)
_UNPROVEN = "an adapter swaps in its own way"
_ROUNDED = "sells what the other shares' rounding leaves of a balance"


class Edge(Struct, frozen=True, gc=False):
    """A share of a node's token goes to `paid_to`, for an adapter to swap at `pool` to the token of the node `to`."""

    pool: bytes
    paid_to: bytes
    share: int
    to: int


class Node(Struct, frozen=True, gc=False):
    """A token and the edges by which it leaves. With `gives_all` the last of them sells what the others leave."""

    number: int
    token: bytes
    edges: tuple[Edge, ...]
    gives_all: bool

    @property
    def paid_at(self) -> bytes:
        """Where its token is sent at once, which is where its only edge needs it; empty where the router has to split it."""
        return self.edges[0].paid_to if len(self.edges) == 1 else b""


class Payout(Struct, frozen=True, gc=False):
    """The token out as the call writes it, and who gets it."""

    token: bytes
    recipient: bytes


def batch_nodes(call: Call, hops: Sequence[tuple[Any, ...]]) -> list[Node]:
    """The nodes of one batch, each the next one's only source."""
    if not hops:
        raise call.malformed("a batch has no hops")
    nodes = []
    for number, (adapters, paid_to, words, extra, token) in enumerate(hops):
        count = len(adapters)
        if not count or min(len(paid_to), len(words), len(extra)) < count:
            raise call.malformed("a hop lacks an adapter's arguments")
        edges = tuple(_edge(call, word, to, number + 1) for word, to in zip(words[:count], paid_to, strict=False))
        if sum(edge.share for edge in edges) > WHOLE:
            raise call.malformed("a hop's shares exceed the whole")
        nodes.append(Node(number, address_in(token), edges, gives_all=False))
    return nodes


def graph_nodes(call: Call, paths: Sequence[tuple[Any, ...]]) -> list[Node]:
    """The nodes of a graph, whose words number where an edge begins (bits 184 to 191) and ends (bits 176 to 183)."""
    nodes: list[Node] = []
    done: set[int] = set()
    for adapters, paid_to, words, extra, token in paths:
        if not adapters or len({len(adapters), len(paid_to), len(words), len(extra)}) > 1:
            raise call.malformed("a path's lists differ in length")
        number = words[0] >> _FROM_SHIFT & 0xFF
        edges = tuple(_edge(call, word, to, word >> _TO_SHIFT & 0xFF) for word, to in zip(words, paid_to, strict=True))
        if number in done or any(word >> _FROM_SHIFT & 0xFF != number for word in words):
            raise call.malformed("a path's edges do not begin at a node of its own")
        if any(edge.to in done or not number < edge.to <= len(paths) for edge in edges):
            raise call.malformed("an edge does not lead on")
        if sum(edge.share for edge in edges) != WHOLE:
            raise call.malformed("a path's shares are not the whole")
        done.add(number)
        nodes.append(Node(number, address_in(token), edges, gives_all=True))
    if not nodes or nodes[0].number:
        raise call.malformed("there is no first node")
    return nodes


def add_route(call: Call, nodes: Sequence[Node], amount_in: int, payout: Payout) -> list[int]:
    """Note the swaps of one batch or graph that is given `amount_in`; gives the numbers of those that bring the token out.

    Nodes in a row are one swap. No swap has a minimum of its own: `require_together` is to follow.
    """
    tokens = {node.number: node.token for node in nodes} | {len(nodes): wrapped_token(call, payout.token)}
    if not _is_row(nodes):
        return _add_split(call, nodes, tokens, (amount_in, payout))
    hops = tuple(_hop(call, node.edges[0], (node.token, tokens[node.edges[0].to])) for node in nodes)
    add_shown(call, hops, ExactIn(amount_in, 0), payout.recipient, pays_native=payout.token == NATIVE_ALIAS)
    _own_up(call)
    return [len(call.intents) - 1]


def require_together(call: Call, last: Sequence[int], minimum: int) -> None:
    """What the swaps bring must reach the minimum."""
    call.require(Holding(0, tuple(last)), minimum)


def _is_row(nodes: Sequence[Node]) -> bool:
    singles = all(len(node.edges) == 1 and node.edges[0].share == WHOLE for node in nodes)
    return singles and all(node.edges[0].to == following.number for node, following in pairwise(nodes))


def _add_split(call: Call, nodes: Sequence[Node], tokens: dict[int, bytes], terms: tuple[int, Payout]) -> list[int]:
    """One swap for each edge."""
    amount_in, payout = terms
    last: list[int] = []
    is_native = payout.token == NATIVE_ALIAS
    places = {node.number: node.paid_at or call.contract for node in nodes}
    places[len(nodes)] = call.contract if is_native else payout.recipient
    books = call.books()
    for node in nodes:
        held = None if node is nodes[0] else books.take_all(places[node.number], node.token)
        parts = _parts(node, amount_in) if held is None else []
        for index, edge in enumerate(node.edges):
            size, reason = (ExactIn(parts[index], 0), "") if held is None else _share(node, index, held)
            hop = _hop(call, edge, (node.token, tokens[edge.to]))
            _add_edge(call, hop, (size, places[edge.to]), reason)
            last += [len(call.intents) - 1] if edge.to == len(nodes) else []
    if is_native:
        books.credit(payout.recipient, NATIVE, books.take_all(call.contract, call.router.wrapped_native))
    return last


def _add_edge(call: Call, hop: Hop, terms: tuple[Size, bytes], reason: str) -> None:
    add_shown(call, (hop,), *terms)
    if reason:
        call.intents[-1] = replace(call.intents[-1], completeness=Completeness.AMOUNT_UNKNOWN, reason=reason)
    _own_up(call)


def _own_up(call: Call) -> None:
    """Say of the last intent that an adapter decides, where that is so."""
    intent = call.intents[-1]
    if not all(hop.kind for hop in intent.hops):
        call.intents[-1] = replace(intent, completeness=Completeness.PARTIAL, reason=_UNPROVEN)


def _parts(node: Node, amount_in: int) -> list[int]:
    """What each edge gets of a stated amount."""
    parts = [amount_in * edge.share // WHOLE for edge in node.edges]
    if node.gives_all:
        parts[-1] = amount_in - sum(parts[:-1])
    return parts


def _share(node: Node, index: int, held: Holding) -> tuple[Size, str]:
    """An edge's part of a balance, and what stands against knowing it to the wei."""
    edge, count = node.edges[index], len(node.edges)
    takes: tuple[Take, ...] = ()
    # The only edge's place was paid at once, with all that came.
    share, reason = ALL if count == 1 or edge.share == WHOLE else Take(0, edge.share, WHOLE), ""
    if node.gives_all and count > 1 and index == count - 1:
        takes, share = tuple(Take(0, other.share, WHOLE) for other in node.edges[:-1]), ALL
        if count > 2:
            # Each portion is of what was there at first, which portions taken one after another cannot say.
            takes, share, reason = (), Take(0, edge.share, WHOLE), _ROUNDED
    whole = Holding(held.wei, held.sources, held.takes + takes, held.known)
    return whole.size(0, share) or BalanceIn(0, (), 0), reason


def _hop(call: Call, edge: Edge, tokens: tuple[bytes, bytes]) -> Hop:
    """The token goes to a V2 pair before it swaps, and to a V3 pool's adapter."""
    kind = "uniswap_v2" if edge.paid_to == edge.pool else "uniswap_v3"
    hop = call.pool_hop(kind, edge.pool, tokens)
    if hop.kind:
        return hop
    return Hop("okx_adapter", "", b"" if edge.pool == _NOBODY else edge.pool, *tokens, None)


def _edge(call: Call, word: int, paid_to: bytes, to: int) -> Edge:
    call.charge_command()
    return Edge(address_in(word), paid_to, word >> _SHARE_SHIFT & 0xFFFF, to)
