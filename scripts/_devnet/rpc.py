"""JSON-RPC over one kept-alive http connection to a node on this machine."""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from typing import Any

import orjson

Request = tuple[str, list[Any]]


class NodeRefused(Exception):
    """The node answered a request with an error; `data` is the revert data where the EVM gave one."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method}: {error.get('code')}: {error.get('message')} {error.get('data') or ''}".rstrip())
        self.method, self.data = method, error.get("data")


class Rpc:
    """Blocking client of one node; for one thread at a time. Answers of a batch come in the order of its requests."""

    def __init__(self, host: str, port: int, timeout: float = 60) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=timeout)

    def call(self, method: str, *params: Any) -> Any:
        """One request; raises `NodeRefused`."""
        return _result(method, self._post({"jsonrpc": "2.0", "id": 0, "method": method, "params": params}))

    def batch(self, requests: Iterable[Request]) -> list[Any]:
        """All requests at once; raises `NodeRefused` for the first that failed."""
        return [_raised(answer) for answer in self.try_batch(requests)]

    def try_batch(self, requests: Iterable[Request]) -> list[Any]:
        """All requests at once; a refused one is a `NodeRefused` in the list."""
        asked = list(requests)
        if not asked:
            return []
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params} for number, (method, params) in enumerate(asked)
        ]
        answers = {answer["id"]: answer for answer in self._post(body)}
        return [
            NodeRefused(method, answers[number]["error"]) if "error" in answers[number] else answers[number]["result"]
            for number, (method, _) in enumerate(asked)
        ]

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: Any) -> Any:
        self._connection.request("POST", "/", orjson.dumps(body), {"Content-Type": "application/json"})
        return orjson.loads(self._connection.getresponse().read())


def _result(method: str, answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise NodeRefused(method, answer["error"])
    return answer["result"]


def _raised(answer: Any) -> Any:
    if isinstance(answer, NodeRefused):
        raise answer
    return answer
