"""0x ExchangeProxy: swaps along V2 and V3 paths, providers of liquidity, and orders that makers signed."""

from __future__ import annotations

from functools import partial
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.pools import Path
from mempool.decode.routers.periphery import add_v3
from mempool.decode.routers.zerox_multiplex import MULTIPLEX
from mempool.decode.routers.zerox_parts import NATIVE_SIGN, RFQ, add_hidden, normal_token, order_out, pay_native, v2_path
from mempool.decode.routers.zerox_transform import transform_erc20
from mempool.decode.tables import Handler, RouterKind
from mempool.model.swap import ExactIn

_NOBODY = bytes(20)
_PANCAKE_FORKS = ("pancake_v1", "pancake_v2", "bakery", "sushi_v2", "ape", "cafe", "cheese", "jul")
"""`sellToPancakeSwap`'s forks by their number; a chain lists the factories of those that it has."""
_FIRST_POOL_BYTES = 43
_NEXT_POOL_BYTES = 23


def sell_to_uniswap(call: Call, arguments: tuple[Any, ...]) -> None:
    """sellToUniswap(tokens, sellAmount, minBuyAmount, isSushi)"""
    tokens, sell_amount, min_buy_amount, is_sushi = arguments
    _sell_to_v2(call, tokens, (sell_amount, min_buy_amount), "sushi_v2" if is_sushi else "uniswap_v2")


def sell_to_pancake(call: Call, arguments: tuple[Any, ...]) -> None:
    """sellToPancakeSwap(tokens, sellAmount, minBuyAmount, fork)"""
    tokens, sell_amount, min_buy_amount, fork = arguments
    if fork >= len(_PANCAKE_FORKS):
        raise call.malformed(f"there is no fork {fork}")
    _sell_to_v2(call, tokens, (sell_amount, min_buy_amount), _PANCAKE_FORKS[fork])


def sell_eth_to_v3(call: Call, arguments: tuple[Any, ...]) -> None:
    """sellEthForTokenToUniswapV3(encodedPath, minBuyAmount, recipient); the value sent is sold"""
    packed, min_buy_amount, recipient = arguments
    path = _v3_path(call, packed)
    if path.hops[0].token_in != call.router.wrapped_native:
        raise call.malformed("the path does not begin with the wrapped native token")
    add_v3(call, path, ExactIn(call.value_wei, min_buy_amount), _or_sender(call, recipient), 0)


def sell_token_for_eth_to_v3(call: Call, arguments: tuple[Any, ...]) -> None:
    """sellTokenForEthToUniswapV3(encodedPath, sellAmount, minBuyAmount, recipient)"""
    packed, sell_amount, min_buy_amount, recipient = arguments
    path = _v3_path(call, packed)
    if path.hops[-1].token_out != call.router.wrapped_native:
        raise call.malformed("the path does not end with the wrapped native token")
    add_v3(call, path, ExactIn(sell_amount, min_buy_amount), _or_sender(call, recipient), 0)
    pay_native(call, _or_sender(call, recipient))


def sell_token_to_v3(call: Call, arguments: tuple[Any, ...]) -> None:
    """sellTokenForTokenToUniswapV3(encodedPath, sellAmount, minBuyAmount, recipient)"""
    packed, sell_amount, min_buy_amount, recipient = arguments
    add_v3(call, _v3_path(call, packed), ExactIn(sell_amount, min_buy_amount), _or_sender(call, recipient), 0)


def sell_to_liquidity_provider(call: Call, arguments: tuple[Any, ...]) -> None:
    """sellToLiquidityProvider(inputToken, outputToken, provider, recipient, sellAmount, minBuyAmount, auxiliaryData)"""
    token_in, token_out, _, recipient, sell_amount, min_buy_amount, _ = arguments
    tokens = (normal_token(token_in), normal_token(token_out))
    add_hidden(call, "zerox_liquidity_provider", tokens, ExactIn(sell_amount, min_buy_amount), _or_sender(call, recipient))


def fill_order(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillRfqOrder, fillLimitOrder(order, signature, takerTokenFillAmount); what the order has left is filled, if less"""
    _add_order(call, arguments[0], arguments[2], is_whole=False)


def fill_order_or_kill(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillOtcOrder[ForEth], fillOrKillRfqOrder, fillOrKillLimitOrder(order, signature, takerTokenFillAmount)"""
    _add_order(call, arguments[0], arguments[2], is_whole=True)


def fill_order_with_eth(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillOtcOrderWithEth(order, makerSignature): up to the value sent"""
    _add_order(call, arguments[0], call.value_wei, is_whole=True)


def fill_signed_order(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillTakerSignedOtcOrder[ForEth](order, makerSignature, takerSignature): all of it, for the taker that signed"""
    order = arguments[0]
    taker = order[5]
    add_hidden(call, RFQ, (order[1], order[0]), ExactIn(order[3], order[2]), taker)


def batch_fill_signed_orders(call: Call, arguments: tuple[Any, ...]) -> None:
    """batchFillTakerSignedOtcOrders(orders, makerSignatures, takerSignatures, unwrapWeth): each may fail alone"""
    for order in arguments[0]:
        call.charge_command()
        call.attempt(partial(fill_signed_order, call, (order,)))


def batch_fill_orders(call: Call, arguments: tuple[Any, ...]) -> None:
    """batchFillRfqOrders, batchFillLimitOrders(orders, signatures, takerTokenFillAmounts, revertIfIncomplete)"""
    orders, _, amounts, is_whole = arguments
    if len(orders) != len(amounts):
        raise call.malformed(f"{len(orders)} orders have {len(amounts)} amounts")
    for order, amount in zip(orders, amounts, strict=True):
        call.charge_command()
        _add_order(call, order, amount, is_whole=is_whole)


def execute_meta_transaction(call: Call, arguments: tuple[Any, ...]) -> None:
    """executeMetaTransaction((signer, sender, minGasPrice, maxGasPrice, expirationTimeSeconds, salt, callData, value, …), …)"""
    signer, sender, _, _, expiration, _, data, value_wei, *_ = arguments[0]
    _run_for(call, (signer, sender, expiration), data, value_wei)


def execute_meta_transaction_v2(call: Call, arguments: tuple[Any, ...]) -> None:
    """executeMetaTransactionV2((signer, sender, expirationTimeSeconds, salt, callData, feeToken, fees), signature)"""
    signer, sender, expiration, _, data, *_ = arguments[0]
    _run_for(call, (signer, sender, expiration), data, 0)


def batch_meta_transactions(execute: Handler, call: Call, arguments: tuple[Any, ...]) -> None:
    """batchExecuteMetaTransactions[V2](mtxs, signatures): all of them or none"""
    for transaction in arguments[0]:
        execute(call, (transaction,))


def _run_for(call: Call, signed: tuple[bytes, bytes, int], data: bytes, value_wei: int) -> None:
    """Run a call of this contract as the signer's, which ends before the expiration; a sender that is named must be it."""
    signer, sender, expiration = signed
    if sender not in (_NOBODY, call.sender):
        raise call.malformed("it is signed for another sender")
    around = (call.sender, call.value_wei, call.deadline, call.function)
    call.sender, call.value_wei = signer, value_wei
    call.hold_to(max(expiration - 1, 0))
    call.run_nested(data)
    call.sender, call.value_wei, call.deadline, call.function = around


def _sell_to_v2(call: Call, tokens: tuple[bytes, ...], amounts: tuple[int, int], fork: str) -> None:
    if len(tokens) < 2:
        raise call.malformed("the path has fewer than two tokens")
    if call.value_wei != (amounts[0] if tokens[0] == NATIVE_SIGN else 0):
        raise call.malformed("the value sent is not what the path begins with")
    wrapped = call.router.wrapped_native
    path = v2_path(call, fork, tuple(wrapped if token == NATIVE_SIGN else token for token in tokens))
    add_v3(call, path, ExactIn(*amounts), call.sender, 0)
    if tokens[-1] == NATIVE_SIGN:
        pay_native(call, call.sender)


def _v3_path(call: Call, packed: bytes) -> Path:
    """The path; each step cuts one pool off it, and needs the next one whole."""
    if len(packed) < _FIRST_POOL_BYTES or (len(packed) - _FIRST_POOL_BYTES) % _NEXT_POOL_BYTES:
        raise call.malformed(f"a path of {len(packed)} bytes does not end with a token")
    return call.router.factories["uniswap_v3"].packed_path(packed, call)


def _or_sender(call: Call, recipient: bytes) -> bytes:
    return call.sender if recipient == _NOBODY else recipient


def _add_order(call: Call, order: tuple[Any, ...], fill_amount: int, *, is_whole: bool) -> None:
    """`order` begins with makerToken, takerToken, makerAmount, takerAmount; what is filled in part promises no amount."""
    maker_token, taker_token, _, taker_amount = order[:4]
    amount_in = min(fill_amount, taker_amount)
    size = ExactIn(amount_in, order_out(order, amount_in) if is_whole else 0)
    add_hidden(call, RFQ, (taker_token, maker_token), size, call.sender)


_FUNCTIONS: dict[str, Handler] = {
    "sellToUniswap": sell_to_uniswap,
    "sellToPancakeSwap": sell_to_pancake,
    "sellEthForTokenToUniswapV3": sell_eth_to_v3,
    "sellTokenForEthToUniswapV3": sell_token_for_eth_to_v3,
    "sellTokenForTokenToUniswapV3": sell_token_to_v3,
    "sellToLiquidityProvider": sell_to_liquidity_provider,
    "transformERC20": transform_erc20,
    "executeMetaTransaction": execute_meta_transaction,
    "batchExecuteMetaTransactions": partial(batch_meta_transactions, execute_meta_transaction),
    "executeMetaTransactionV2": execute_meta_transaction_v2,
    "batchExecuteMetaTransactionsV2": partial(batch_meta_transactions, execute_meta_transaction_v2),
    "fillOtcOrder": fill_order_or_kill,
    "fillOtcOrderForEth": fill_order_or_kill,
    "fillOtcOrderWithEth": fill_order_with_eth,
    "fillTakerSignedOtcOrder": fill_signed_order,
    "fillTakerSignedOtcOrderForEth": fill_signed_order,
    "batchFillTakerSignedOtcOrders": batch_fill_signed_orders,
    "fillRfqOrder": fill_order,
    "fillLimitOrder": fill_order,
    "fillOrKillRfqOrder": fill_order_or_kill,
    "fillOrKillLimitOrder": fill_order_or_kill,
    "batchFillRfqOrders": batch_fill_orders,
    "batchFillLimitOrders": batch_fill_orders,
}

ZEROX_EXCHANGE_PROXY = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset({"uniswap_v2", "uniswap_v3"}),
    functions={**_FUNCTIONS, **MULTIPLEX},
)
