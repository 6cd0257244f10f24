"""Which unlisted tokens have been met, so that each contract is asked once for its symbol and decimals."""

from __future__ import annotations

from mempool.decode import DecodeTables
from mempool.model.swap import DecodedCall

MAX_TOKENS = 100_000
"""Tokens that are remembered as met; beyond it the oldest may be asked once more."""


class TokenWants:
    """The listed tokens are known from the tables and never asked for."""

    def __init__(self, tables: DecodeTables) -> None:
        self._listed = tables.tokens
        self._met: dict[bytes, None] = {}
        self._requests: list[bytes] = []

    def name(self, call: DecodedCall) -> None:
        """Ask for the tokens of a call's hops that were not met before."""
        for intent in call.intents:
            for hop in intent.hops:
                for token in (hop.token_in, hop.token_out):
                    if len(token) == 20 and any(token) and token not in self._listed and token not in self._met:
                        self._met[token] = None
                        self._requests.append(token)
        while len(self._met) > MAX_TOKENS:
            del self._met[next(iter(self._met))]

    def take(self) -> list[bytes]:
        """The tokens to ask about since the last call."""
        requests, self._requests = self._requests, []
        return requests
