"""What Augustus v5's functions are given in one shape or another, and what they do with it before and after a swap."""

from __future__ import annotations

from msgspec import Struct

from mempool.decode.call import Call
from mempool.decode.routers.aggregators import keep_share, plain_token
from mempool.model.swap import BalanceIn, ExactIn, ExactOut, Size

_NOBODY = bytes(20)
_BPS = 10_000
_FEE_BITS, _ON_TOKEN_IN = 0x3FFF, 1 << 15
_SURE_BPS = 200
"""Above this a fee may be cut: the contract has a limit that no calldata shows, and that is not below this."""


class Terms(Struct, frozen=True):
    """Sell `amount_in` for at least `minimum`; with `buys` the amounts are the most to pay and what to buy.

    `fee` is the word that packs the partner's fee: version in the first byte, basis points in the last 14 bits.
    """

    token_in: bytes
    token_out: bytes
    amount_in: int
    minimum: int
    recipient: bytes
    partner: bytes = _NOBODY
    fee: int = 0
    buys: bool = False

    @property
    def tokens(self) -> tuple[bytes, bytes]:
        return self.token_in, self.token_out

    @property
    def takes_from_token_in(self) -> bool:
        """Whether the fee is the token in's and taken before the swap."""
        return bool(self.fee >> 248 and self.fee & _ON_TOKEN_IN)

    def size(self, call: Call) -> Size:
        """What is left to sell after the partner's fee; a balance that the call does not fix where the fee may be cut."""
        if not self.minimum:
            raise call.malformed("the amount to receive is 0")
        if self.buys:
            return ExactOut(self.minimum, self.amount_in)
        bps = self.fee & _FEE_BITS if self.takes_from_token_in and self.partner != _NOBODY else 0
        if bps > _SURE_BPS:
            return BalanceIn(0, (), self.minimum)
        return ExactIn(self.amount_in - self.amount_in * bps // _BPS, self.minimum)


def settle(call: Call, terms: Terms) -> None:
    """The contract checks what it holds of the token out and pays it out."""
    token = plain_token(terms.token_out)
    held = call.books().take_all(call.contract, token)
    call.require(held, terms.minimum)
    keep_share(call, terms.recipient, token)
