"""A node on the loopback that says just enough to be subscribed to, and then sends its frames as fast as they are taken.

`python -m scripts._bench.server FILE` prints its port; each line that it reads makes it send the file's lines, one a frame, to
whoever has subscribed last. They go out as bytes made beforehand, so that the server is never what is waited for.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from scripts._bench.world import SUBSCRIPTION

ANSWERS = {
    "eth_chainId": "0x1",
    "eth_subscribe": "0x5ead",
    "txpool_content": {"pending": {}, "queued": {}},
    "web3_clientVersion": "bench",
}


async def main(frames: list[bytes]) -> None:
    blob = b"".join(Frame(Opcode.TEXT, frame).serialize(mask=False) for frame in frames)
    subscribed: list[ServerConnection] = []

    async def converse(connection: ServerConnection) -> None:
        async for message in connection:
            request = orjson.loads(message)
            if request["params"][:1] == ["newPendingTransactions"]:
                subscribed.append(connection)
            await connection.send(orjson.dumps({"jsonrpc": "2.0", "id": request["id"], "result": _result(request)}).decode())

    async with serve(converse, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            subscribed[-1].transport.write(blob)


def _result(request: dict[str, list[object]]) -> object:
    if request["params"][:1] == ["newPendingTransactions"]:
        return SUBSCRIPTION
    return ANSWERS.get(str(request["method"]))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes().splitlines()))
