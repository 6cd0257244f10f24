"""Our provider under web3: its requests go out over the node feed, so they are stamped, captured and allow-listed."""

from __future__ import annotations

from typing import Any, cast

import orjson
from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from mempool.errors import UpstreamError
from mempool.feeds.events import Requester


class FeedProvider(AsyncBaseProvider):
    """Answers are results or raise: `RpcError` and `UpstreamError` pass through web3 as they are.

    A contract cannot send us elsewhere: off-chain lookups (EIP-3668) are never followed.
    """

    global_ccip_read_enabled = False

    def __init__(self, request: Requester) -> None:
        super().__init__()
        self._request = request

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        result = orjson.loads(await self._request(method, list(params)))
        return cast("RPCResponse", {"jsonrpc": "2.0", "id": 0, "result": result})

    async def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: FBT001, FBT002 - web3's signature
        try:
            await self._request("web3_clientVersion", [])
        except UpstreamError:
            return False
        return True
