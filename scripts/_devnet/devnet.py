"""A running devnet: the node, its accounts, and where its pools are; the state is made once and loaded from then on."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts._devnet.anvil import Anvil, AnvilOptions, start_anvil
from scripts._devnet.contracts import place_contracts
from scripts._devnet.encoding import Address
from scripts._devnet.packages import HERE, VAR, ensure_node_modules, file_lock
from scripts._devnet.rpc import Rpc
from scripts._devnet.world import make_world

STATE_SOURCES = ("package-lock.json", "addresses.py", "contracts.py", "world.py", "devnet.py")


@dataclass
class Devnet:
    """`owner` deployed everything and trades nothing; `users` have tokens and have approved every router."""

    anvil: Anvil
    owner: Address
    users: list[Address]

    @property
    def rpc(self) -> Rpc:
        return self.anvil.rpc

    def mine(self, blocks: int = 1) -> int:
        """Mine now; the number of the last block."""
        for _ in range(blocks):
            self.rpc.call("evm_mine")
        return self.block_number()

    def block_number(self) -> int:
        return int(self.rpc.call("eth_blockNumber"), 16)

    def receipts(self, block_number: int) -> list[dict[str, Any]]:
        """The receipts of one block as the node gives them, in block order."""
        found: list[dict[str, Any]] = self.rpc.call("eth_getBlockReceipts", hex(block_number))
        return found


def start_devnet(options: AnvilOptions | None = None) -> Devnet:
    """Start a node with everything on it; stop it with `devnet.anvil.stop()`.

    With `options.state` naming a file that exists, that file's chain goes on; a new one starts from the prepared state.
    """
    wanted = options or AnvilOptions()
    if wanted.state is None:
        wanted = replace(wanted, load_state=ensure_state())
    elif not wanted.state.exists():
        wanted.state.write_bytes(ensure_state().read_bytes())
    anvil = start_anvil(wanted)
    owner, *users = anvil.rpc.call("eth_accounts")
    return Devnet(anvil, owner, users)


@contextmanager
def running_devnet(options: AnvilOptions | None = None) -> Iterator[Devnet]:
    """`start_devnet`, stopped at the end."""
    devnet = start_devnet(options)
    with devnet.anvil:
        yield devnet


def ensure_state() -> Path:
    """The state file with all contracts, pools and balances; made when the packages or the set-up have changed."""
    ensure_node_modules()
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in STATE_SOURCES)).hexdigest()[:16]
    path = VAR / f"state-{digest}.json"
    with file_lock(VAR / "state.lock"):
        if not path.exists():
            for outdated in VAR.glob("state-*.json"):
                outdated.unlink()
            make_state(path)
    return path


def make_state(path: Path) -> None:
    node_modules = ensure_node_modules()
    with start_anvil(AnvilOptions()) as anvil:
        owner = anvil.rpc.call("eth_accounts")[0]
        place_contracts(anvil.rpc, node_modules, owner)
        make_world(anvil.rpc)
        dumped = bytes.fromhex(anvil.rpc.call("anvil_dumpState")[2:])
    part = path.with_suffix(".part")
    part.write_bytes(zlib.decompress(dumped, wbits=zlib.MAX_WBITS | 32) if dumped[:2] == b"\x1f\x8b" else dumped)
    part.rename(path)
