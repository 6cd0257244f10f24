"""Values as the schema's columns hold them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import prod

import orjson
from msgspec import Struct, structs

from mempool.model.book import scaled_text
from mempool.model.pool import PoolState
from mempool.model.swap import ALL, BalanceIn, ExactIn, ExactOut, Size

Value = str | int | float | None
MAX_INT64 = 2**63 - 1
MAX_EXACT_DECIMALS = 36
ROUNDED_DECIMALS = 18


def int64(number: int) -> int:
    """`number` within what an INTEGER column holds; what is beyond is a lie of its sender (a nonce, a gas limit) and is cut."""
    return max(-MAX_INT64, min(number, MAX_INT64))


def counterpart(number: int | None) -> int | None:
    """`int64` of a number that may be absent."""
    return None if number is None else int64(number)


def hex_text(data: bytes) -> str:
    return f"0x{data.hex()}"


def amount(value: int | None) -> tuple[str | None, float | None]:
    """An amount's exact text and its numeric companion."""
    return (None, None) if value is None else (str(value), float(value))


def quotient(value: Fraction | None) -> tuple[str | None, float | None]:
    """A number's decimal text and its numeric companion.

    Exact where at most 36 decimals are enough, else rounded down (towards minus infinity) to 18.
    """
    if value is None:
        return None, None
    decimals = _decimals(value.denominator)
    number = value.numerator * 10**decimals // value.denominator
    return ("-" if number < 0 else "") + scaled_text(abs(number), decimals), float(value)


def scaled(number: int, decimals: int) -> tuple[str, float]:
    """The text of `number * 10**-decimals`, with all its decimals, and its numeric companion."""
    text = scaled_text(number, decimals)
    return text, float(text)


def _decimals(denominator: int) -> int:
    """How many are exact; else how many are kept."""
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    exact = max(twos, fives)
    return exact if rest == 1 and exact <= MAX_EXACT_DECIMALS else ROUNDED_DECIMALS


def json_text(value: object) -> str:
    return orjson.dumps(value).decode()


def size_columns(size: Size) -> tuple[Value, ...]:
    """`size, amount, amount_approx, limit_amount, limit_amount_approx, pays_forward, balance_sources` of an intent."""
    match size:
        case ExactIn(amount_in, least):
            return ("exact_in", *amount(amount_in), *amount(least), 0, "[]")
        case ExactOut(amount_out, most, pays_forward):
            return ("exact_out", *amount(amount_out), *amount(most), int(pays_forward), "[]")
        case BalanceIn(held, _, least):
            return ("balance_in", *amount(held), *amount(least), 0, balance_sources(size))


def balance_sources(size: BalanceIn) -> str:
    """The indexes of the intents that bring it, as a JSON array; an object with what left before, or the share that is sold."""
    if not size.takes and size.share == ALL:
        return json_text(size.sources)
    takes = [(str(take.wei), str(take.numerator), str(take.denominator)) for take in (size.share, *size.takes)]
    return json_text({"sources": size.sources, "share": takes[0], "takes": takes[1:]})


def path_impact(hop_impacts: Iterable[float]) -> float | None:
    """The impact over a path: what is left of the mid price after every hop, multiplied; None where there is no hop."""
    kept = [1.0 - impact for impact in hop_impacts]
    return 1.0 - prod(kept) if kept else None


def pool_numbers(state: PoolState) -> str:
    """A pool's own numbers (reserves; or price, tick and liquidity) as a JSON object of decimal texts."""
    fields = structs.asdict(state) if isinstance(state, Struct) else {}
    return json_text({name: str(value) for name, value in fields.items() if isinstance(value, int) and name != "fee_pips"})
