"""REST snapshots of the venues: read-only requests within one budget a host, and no request while a host has banned us."""

from __future__ import annotations

import asyncio
import time

import aiohttp
from msgspec import Struct

from mempool import __version__
from mempool.errors import UpstreamError
from mempool.exchanges.events import FetchSnapshot
from mempool.feeds.bans import LIMITED, SECOND_NS, BanList
from mempool.feeds.links import describe, status_text
from mempool.feeds.pace import Budget
from mempool.feeds.venue_urls import host_of

MAX_OPEN = 4
WRONG_REQUEST = 400
"""Its body says in the venue's own form what is wrong: that a symbol is not listed, say."""
USED_WEIGHT = "X-MBX-USED-WEIGHT-1M"
"""Binance's count of the weight that our address has used in the current minute."""


class RestOptions(Struct, frozen=True):
    """Limits of the requests to one host."""

    answer_seconds: float = 10
    max_body_bytes: int = 16 * 1_024 * 1_024
    weight_per_minute: int = 3_000
    """Half of what Binance allows an address, which other programs may share."""


class NoSnapshot(UpstreamError):
    """No answer that can be used; `retry_seconds` is for how long there will be none."""

    def __init__(self, host: str, reason: str, retry_seconds: float = 0) -> None:
        super().__init__(f"{host}: {reason}")
        self.host, self.reason, self.retry_seconds = host, reason, retry_seconds


class SnapshotClient:
    """GET and nothing else; no redirect, no proxy, no compression, no cookies. One for all venues of a process."""

    def __init__(self, bans: BanList, options: RestOptions | None = None) -> None:
        self._bans, self._options = bans, options or RestOptions()
        self._hosts: dict[str, _Host] = {}
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, wanted: FetchSnapshot) -> bytes:
        """The body of the answer; waits while the budget of the host is spent. Raises `NoSnapshot`."""
        name = host_of(wanted.url)
        host = self._hosts.setdefault(name, _Host(self._options.weight_per_minute))
        async with host.open:
            self._check(name)
            if not self._bans.is_on_probation(name):
                return await self._get(name, host, wanted)
            async with host.probe:
                self._check(name)  # whoever went first may have been banned anew
                return await self._get(name, host, wanted)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _check(self, name: str) -> None:
        wait_ns = self._bans.wait_ns(name)
        if wait_ns:
            seconds = wait_ns / SECOND_NS
            raise NoSnapshot(name, f"not asked for another {seconds:.0f} s, as the venue demands", seconds)

    async def _get(self, name: str, host: _Host, wanted: FetchSnapshot) -> bytes:
        await host.spend(wanted.weight)
        self._check(name)
        try:
            async with self._client().get(wanted.url, allow_redirects=False) as response:
                host.heard(response)
                body = await self._body(response, name)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            reason = describe(error, "venue")
        else:
            return body
        raise NoSnapshot(name, reason)

    async def _body(self, response: aiohttp.ClientResponse, name: str) -> bytes:
        retry_after = response.headers.get("Retry-After")
        if response.status in LIMITED or (response.status >= 400 and retry_after is not None):
            seconds = self._bans.ban(name, response.status, retry_after) / SECOND_NS
            raise NoSnapshot(name, f"{status_text(response.status, 'venue')}; asked again in {seconds:.0f} s", seconds)
        if response.status not in (200, WRONG_REQUEST):
            raise NoSnapshot(name, status_text(response.status, "venue"))
        body = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            body += chunk
            if len(body) > self._options.max_body_bytes:
                raise NoSnapshot(name, f"the answer is longer than {self._options.max_body_bytes} bytes")
        if body[:256].lstrip().startswith(b"<"):
            raise NoSnapshot(name, "the answer is an HTML page instead of data")
        if response.status == WRONG_REQUEST and not body:
            raise NoSnapshot(name, status_text(response.status, "venue"))
        self._bans.lift(name)
        return bytes(body)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._options.answer_seconds),
                headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": f"mempool/{__version__}"},
            )
        return self._session


class _Host:
    def __init__(self, weight_per_minute: int) -> None:
        self.budget = Budget(weight_per_minute)
        self.open = asyncio.Semaphore(MAX_OPEN)
        self.probe = asyncio.Lock()

    async def spend(self, weight: int) -> None:
        """Wait until the budget has room, and take it."""
        seconds = self.budget.spend(weight, time.monotonic())
        while seconds:
            await asyncio.sleep(seconds)
            seconds = self.budget.spend(weight, time.monotonic())

    def heard(self, response: aiohttp.ClientResponse) -> None:
        used = response.headers.get(USED_WEIGHT, "")
        if used.isascii() and used.isdigit() and len(used) < 10:
            self.budget.heard(int(used), time.monotonic())
