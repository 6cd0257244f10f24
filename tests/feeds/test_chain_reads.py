"""What reads pools and tokens brings web3 in only where it is asked for."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

SCRIPT = """
import asyncio, sys
from mempool.feeds.chain_reads import ChainReads
from mempool.model.pool import PoolIdentity

async def request(method, params):
    assert method == "eth_getStorageAt", method
    return b'"0x1"'

async def main():
    reads = ChainReads(request)
    pair = PoolIdentity("uniswap_v2", b"1" * 20, b"2" * 20, b"3" * 20, 3000)
    [state] = await reads.pool_states([pair], "0x" + 64 * "1", words_each_side=0)
    print(type(state).__name__, "web3" in sys.modules)
    reads.load()
    print("web3" in sys.modules)

asyncio.run(main())
"""


def test_pools_are_read_without_web3_and_loading_has_it_at_hand() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)
    assert done.stdout.splitlines() == ["V2Pool False", "True"], done.stderr
