"""The feed, the reads and the single shots against a real node with the real contracts, over every kind of connection."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mempool.errors import UpstreamError
from mempool.feeds import rest
from mempool.feeds.block_reads import read_block, read_ref
from mempool.feeds.chain_reads import ChainReads, PoolFailure, TokenInfo
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.events import Disconnected, HeadSeen, PendingSeen
from mempool.feeds.node import FeedOptions
from mempool.model.pool import PoolIdentity
from scripts._devnet import addresses as at
from scripts._devnet.anvil import Anvil, AnvilOptions
from scripts._devnet.devnet import Devnet
from tests.anvil_fixtures import StartDevnet, kill_when_saved
from tests.devnet_reads import load_pool, pair_identity, pool_identity, raw
from tests.feeds.listening import listening

pytestmark = pytest.mark.devnet
ALL = FeedOptions(chain_id=1, tick_seconds=0.05, poll_seconds=0.05, first_delay_seconds=0.1)


def send(devnet: Devnet, nonce: int, to: str = at.V2_ROUTER) -> str:
    sender = devnet.users[0]
    call = {"from": sender, "to": to, "value": "0x1", "nonce": hex(nonce), "gas": "0x30d40", "input": "0x12345678"}
    sent: str = devnet.rpc.call("eth_sendTransaction", call)
    return sent


def next_nonce(devnet: Devnet) -> int:
    return int(devnet.rpc.call("eth_getTransactionCount", devnet.users[0], "latest"), 16)


def address_of(anvil: Anvil, kind: str) -> str:
    return {"ws": anvil.ws_url, "http": anvil.http_url, "ipc": str(anvil.ipc)}[kind]


@pytest.mark.parametrize("kind", ["ws", "ipc", "http"])
async def test_pending_transactions_and_heads_arrive(kind: str, start_devnet: StartDevnet, socket_folder: Path) -> None:
    devnet = start_devnet(AnvilOptions(ipc=socket_folder / "anvil.ipc"))
    async with listening(address_of(devnet.anvil, kind), ALL) as listener:
        first = next_nonce(devnet)
        sent = [send(devnet, first + number) for number in range(20)]
        await listener.until(lambda: len(listener.announced()) == 20)
        number = devnet.mine()
        await listener.until(lambda: listener.told(HeadSeen)[-1].ref.number == number)
    told = [event.tx for event in listener.announced()]
    if kind == "http":  # bodies are fetched side by side there
        told.sort(key=lambda tx: tx.nonce)
    assert [tx.hash for tx in told] == sent
    assert [tx.nonce for tx in told] == list(range(first, first + 20))
    assert {(tx.to, tx.value_wei, tx.calldata) for tx in told} == {(raw(at.V2_ROUTER), 1, b"\x12\x34\x56\x78")}
    assert listener.feed.session.dropped == {}


async def test_nothing_that_was_sent_during_a_cut_is_lost(devnet: Devnet) -> None:
    async with listening(devnet.anvil.ws_url, ALL) as listener:
        first = next_nonce(devnet)
        send(devnet, first)
        await listener.until(lambda: len(listener.announced()) == 1)
        assert listener.feed._connection is not None
        listener.feed._connection.abort("cut by the test")
        missed = {send(devnet, first + number) for number in range(1, 12)}
        await listener.until(lambda: missed <= {event.tx.hash for event in listener.told(PendingSeen)})
        await listener.until(lambda: listener.feed.ready.is_set())
        later = send(devnet, first + 12)
        await listener.until(lambda: later in {event.tx.hash for event in listener.announced()})
    assert [event.reason for event in listener.told(Disconnected)] == ["cut by the test", "stopped"]


async def test_block_is_read_with_its_receipts(devnet: Devnet) -> None:
    async with listening(devnet.anvil.ws_url, ALL) as listener:
        sent = send(devnet, next_nonce(devnet), at.WETH)
        devnet.mine()
        await listener.until(lambda: len(listener.told(HeadSeen)) == 2)
        ref = listener.told(HeadSeen)[-1].ref
        block = await read_block(listener.feed.request, ref.hash, recv_ns=7, source="n")
        assert block.ref == ref == await read_ref(listener.feed.request, ref.hash)
        assert [tx.hash for tx in block.transactions] == [sent] == [receipt.transaction_hash for receipt in block.receipts]
        assert (block.transactions[0].recv_ns, block.transactions[0].source) == (7, "n")
        with pytest.raises(UpstreamError, match="does not have"):
            await read_ref(listener.feed.request, "0x" + "12" * 32)


async def test_pools_are_read_at_a_block_as_they_stood_there(devnet: Devnet) -> None:
    identities = [pair_identity(at.WETH, at.USDC), pool_identity(at.WETH, at.USDC, 500)]
    expected = [load_pool(devnet, identity, words_each_side=3) for identity in identities]
    async with listening(devnet.anvil.ws_url, ALL) as listener:
        block = listener.told(HeadSeen)[0].ref.hash
        devnet.mine()  # or the write below would reach into that block, the newest
        slot = "0x" + f"{8:064x}"
        devnet.rpc.call("anvil_setStorageAt", "0x" + identities[0].address.hex(), slot, "0x" + f"{(5 << 112) + 7:064x}")
        devnet.mine()
        reads = ChainReads(listener.feed.request)
        assert await reads.pool_states(identities, block, words_each_side=3) == expected
        (now,) = await reads.pool_states(
            identities[:1], devnet.rpc.call("eth_getBlockByNumber", "latest", False)["hash"], words_each_side=3
        )
        assert (getattr(now, "reserve0", None), getattr(now, "reserve1", None)) == (7, 5)


async def test_pool_that_was_never_deployed_is_absent_and_unknown_block_is_not(devnet: Devnet) -> None:
    nowhere = PoolIdentity("uniswap_v2", b"\x77" * 20, raw(at.WETH), raw(at.USDC), 3000)
    async with listening(devnet.anvil.ws_url, ALL) as listener:
        reads = ChainReads(listener.feed.request)
        block = listener.told(HeadSeen)[0].ref.hash
        assert await reads.pool_states([nowhere], block, words_each_side=1) == [
            PoolFailure(nowhere.address, "no contract stands there", absent=True)
        ]
        (failed,) = await reads.pool_states([pair_identity(at.WETH, at.USDC)], "0x" + "12" * 32, words_each_side=1)
        assert isinstance(failed, PoolFailure)
        assert not failed.absent


async def test_token_and_chain_are_read_through_web3_over_the_feed(devnet: Devnet) -> None:
    async with listening(devnet.anvil.ws_url, ALL) as listener:
        reads = ChainReads(listener.feed.request)
        assert await reads.chain_id() == 1
        assert await reads.token_info(raw(at.USDC)) == TokenInfo(raw(at.USDC), b"USDC", 6)
        assert await reads.token_info(b"\x77" * 20) == TokenInfo(b"\x77" * 20, b"", None)


async def test_pools_say_what_their_tokens_are_and_others_say_nothing(devnet: Devnet) -> None:
    pools = [pair_identity(at.WETH, at.TAXED), pool_identity(at.WETH, at.USDC, 500)]
    async with listening(devnet.anvil.ws_url, ALL) as listener:
        reads = ChainReads(listener.feed.request)
        for pool in pools:
            assert await reads.pool_tokens(pool.address) == (pool.token0, pool.token1)
        for other in (raw(at.USDC), b"\x77" * 20):
            assert await reads.pool_tokens(other) is None


def returning(data: bytes) -> str:
    """Code that returns these bytes, whatever it is asked."""
    size = f"{len(data):06x}"
    return f"0x62{size}6012600039" + f"62{size}6000f3" + "00" * 2 + data.hex()


def string(text: bytes) -> bytes:
    return (32).to_bytes(32) + len(text).to_bytes(32) + text + b"\0" * (-len(text) % 32)


STRANGE_TOKENS: list[tuple[str, bytes, int | None]] = [
    (returning(b"MKR".ljust(32, b"\0")), b"MKR", None),
    (returning(string(b"\xff\xfe bad")), b"\xff\xfe bad", 32),
    (returning(string(b"x" * 100_000)), b"x" * 256, 32),
    (returning(string(b"")), b"", 32),
    (returning((2**255).to_bytes(32) * 2), b"", None),
    (returning((32).to_bytes(32) + (2**255).to_bytes(32)), b"", 32),
    (returning((77).to_bytes(32)), b"\0" * 31 + b"M", 77),
    (returning((255).to_bytes(32)), b"\0" * 31 + b"\xff", 255),
    (returning((256).to_bytes(32)), b"\0" * 30 + b"\x01", None),
    (returning(b"short"), b"", None),
    (returning(b""), b"", None),
    ("0xfd", b"", None),
    ("0xfe", b"", None),
    ("0x5b600056", b"", None),
]
"""A token's code, and the symbol and decimals that it comes to."""


async def test_tokens_that_answer_strangely_are_read_as_what_they_say(devnet: Devnet) -> None:
    addresses = [bytes([0x70, number]) * 10 for number in range(len(STRANGE_TOKENS))]
    devnet.rpc.batch(
        ("anvil_setCode", [f"0x{address.hex()}", code]) for address, (code, _, _) in zip(addresses, STRANGE_TOKENS, strict=True)
    )
    async with listening(devnet.anvil.ws_url, ALL) as listener:
        reads = ChainReads(listener.feed.request)
        infos = [await reads.token_info(address) for address in addresses]
    assert [(info.symbol, info.decimals) for info in infos] == [(symbol, decimals) for _, symbol, decimals in STRANGE_TOKENS]


@pytest.mark.parametrize("kind", ["ws", "ipc", "http"])
async def test_single_shot_fetches_a_transaction(kind: str, start_devnet: StartDevnet, socket_folder: Path) -> None:
    devnet = start_devnet(AnvilOptions(ipc=socket_folder / "anvil.ipc"))
    endpoint = Endpoint.parse(address_of(devnet.anvil, kind))
    sent = send(devnet, next_nonce(devnet))
    assert (await rest.fetch_transaction(endpoint, sent)).hash == sent
    with pytest.raises(UpstreamError, match="does not know transaction"):
        await rest.fetch_transaction(endpoint, "0x" + "12" * 32)


async def test_killed_node_is_found_again_when_it_comes_back(start_devnet: StartDevnet, own_port: int, tmp_path: Path) -> None:
    options = AnvilOptions(state=tmp_path / "state.json", port=own_port)
    devnet = start_devnet(options)
    async with listening(devnet.anvil.ws_url, ALL) as listener:
        await asyncio.to_thread(devnet.mine)
        await asyncio.to_thread(kill_when_saved, devnet, tmp_path / "state.json")
        await listener.until(lambda: bool(listener.told(Disconnected)))
        with pytest.raises(UpstreamError, match="not connected"):
            await listener.feed.request("eth_chainId", [])
        again = start_devnet(options)
        await listener.until(lambda: listener.feed.connections == 2)
        sent = send(again, next_nonce(again))
        await listener.until(lambda: sent in {event.tx.hash for event in listener.told(PendingSeen)})
