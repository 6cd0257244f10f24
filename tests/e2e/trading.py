"""What the devnet's users sent, and which of it the program must have a row for."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

from scripts._devnet import addresses as at
from scripts._devnet.anvil import GWEI, HOST
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import calldata
from scripts._devnet.rpc import Rpc
from scripts._devnet.traffic import GAS, Sent, Traffic
from tests.e2e.program import LiveProgram

ROUTERS = {at.V2_ROUTER, at.V3_ROUTER, at.SWAP_ROUTER_02, *at.UNIVERSAL_ROUTERS}
SWAP_GROUPS = {"swap", "taxed", "may fail"}
SWAPS_ONLY = ("liquidity", "foreign")
"""For `Traffic(without=…)`."""


MOST_IN_BLOCK = 200


def traffic(devnet: Devnet, seed: int, **options: Any) -> Traffic:
    return Traffic(Random(seed), devnet, **options)


def send(users: Traffic, count: int) -> list[Sent]:
    return [users.next() for _ in range(count)]


def send_first(users: Traffic, program: LiveProgram) -> list[Sent]:
    """Up to the first swap, and wait until the program has heard of it: from then on it hears all."""
    first = send(users, 1)
    while not lasting_swaps(first):
        first += send(users, 1)
    program.wait_for_all(lasting_swaps(first))
    return first


def resend(devnet: Devnet, sent: Sent) -> str:
    """The same transaction once more, as its user's wallet would; its hash."""
    body: dict[str, Any] = {"from": sent.sender, "data": sent.call.data, "value": hex(sent.call.value_wei), "gas": hex(GAS)}
    body |= {"nonce": hex(sent.nonce), "maxFeePerGas": hex(sent.max_fee_wei), "to": sent.call.to}
    hash_: str = devnet.rpc.call("eth_sendTransaction", body | {"maxPriorityFeePerGas": hex(sent.max_fee_wei // 20)})
    return hash_


def is_swap(sent: Sent) -> bool:
    """Calls a router to swap; cancellations keep their kind but go elsewhere."""
    return sent.call.to in ROUTERS and sent.kind.group in SWAP_GROUPS


def swaps(sent: Iterable[Sent]) -> list[str]:
    """The hashes of those that swap."""
    return [each.hash for each in sent if is_swap(each)]


def lasting_swaps(sent: Iterable[Sent]) -> list[str]:
    """Without those that one of the later ones has replaced: while nobody listens, they leave no trace."""
    every = list(sent)
    replaced = {each.replaces for each in every}
    return [hash_ for hash_ in swaps(every) if hash_ not in replaced]


def receipts(devnet: Devnet, first_block: int) -> dict[str, dict[str, Any]]:
    """All receipts from a block to the head, by transaction hash, in block order."""
    blocks = range(first_block, devnet.block_number() + 1)
    found = devnet.rpc.batch(("eth_getBlockReceipts", [hex(number)]) for number in blocks)
    return {receipt["transactionHash"]: receipt for block in found for receipt in block}


class Crowd:
    """Everybody sells ether for dollars at once, as fast as the node takes it. For a thread of its own."""

    def __init__(self, devnet: Devnet) -> None:
        self._rpc = Rpc(HOST, devnet.anvil.port)
        self._users = devnet.users
        self._nonces = {user: int(self._rpc.call("eth_getTransactionCount", user, "pending"), 16) for user in self._users}
        self._unmined = 0
        self.sent: list[str] = []

    def send(self) -> list[str]:
        """One from each user; their hashes. Mines before a block would be over-full: what anvil leaves over, it never mines."""
        if self._unmined + len(self._users) > MOST_IN_BLOCK:
            self.mine()
        sent = self._rpc.batch(("eth_sendTransaction", [self._sale(user)]) for user in self._users)
        self.sent += sent
        self._unmined += len(self._users)
        return sent

    def mine(self) -> None:
        """Also keeps the base fee from rising with the full blocks beyond what is bid."""
        self._rpc.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        self._rpc.call("evm_mine")
        self._unmined = 0

    def close(self) -> None:
        """Mine what is left."""
        self.mine()
        self._rpc.close()

    def _sale(self, user: str) -> dict[str, str]:
        nonce = self._nonces[user]
        self._nonces[user] += 1
        signature = "swapExactETHForTokens(uint256,address[],address,uint256)"
        data = calldata(signature, 0, [at.WETH, at.USDC], user, 2**40 + len(self.sent))
        fees = {"maxFeePerGas": hex(50 * GWEI), "maxPriorityFeePerGas": hex(GWEI)}
        return {"from": user, "to": at.V2_ROUTER, "data": data, "value": hex(GWEI), "gas": hex(GAS), "nonce": hex(nonce)} | fees
