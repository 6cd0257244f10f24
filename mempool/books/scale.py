"""Decimal text to scaled integers, exactly: remembered per book, since a book's numbers come again and again."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from mempool.errors import BadData

MAX_DECIMALS = 36
MAX_DIGITS = 64
REMEMBERED = 8_192
"""Texts a scale, some 100 bytes each; three scales a book. Of recordings of minutes more of them spare nothing."""


class BadNumber(BadData):
    """A price or size that is none: not a number, negative, not finite, or longer than any venue writes; or a price of zero."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:MAX_DIGITS]!r} is no price or size")


class MoreDecimals(ArithmeticError):
    """A number has more decimals than its scale: what is kept by that scale is to take `decimals`."""

    def __init__(self, decimals: int) -> None:
        super().__init__(f"{decimals} decimals")
        self.decimals = decimals


class MorePriceDecimals(MoreDecimals):
    """The same, of a price."""


class MoreSizeDecimals(MoreDecimals):
    """The same, of a size."""


class Scale(dict[str | bytes, int]):
    """`scale[text]` is the number `text` times `10**decimals`. Remembers at most `REMEMBERED` texts."""

    __slots__ = ("decimals", "factor", "sign")

    def __init__(self, decimals: int = 0, sign: int = 1) -> None:
        super().__init__()
        self.decimals, self.sign = decimals, sign
        self.factor = sign * float(10**decimals)

    def rescale(self, decimals: int) -> int:
        """Take more decimals; the factor by which the numbers so far grow."""
        factor: int = 10 ** (decimals - self.decimals)
        self.decimals = decimals
        self.factor = self.sign * float(10**decimals)
        self.clear()
        return factor


class SizeScale(Scale):
    """Sizes. Raises `BadNumber`, and `MoreSizeDecimals` where the result would not be whole."""

    __slots__ = ()

    def __missing__(self, text: str | bytes) -> int:
        try:
            number = to_scaled(text, self.decimals)
        except MoreDecimals as more:
            raise MoreSizeDecimals(more.decimals) from None
        if len(self) >= REMEMBERED:
            self.clear()
        self[text] = number
        return number


class PriceScale(Scale):
    """Prices times `sign`, none of them zero. Raises `BadNumber`, `MorePriceDecimals`."""

    __slots__ = ()

    def __init__(self, sign: int, decimals: int = 0) -> None:
        super().__init__(decimals, sign)

    def __missing__(self, text: str | bytes) -> int:
        try:
            number = self.sign * to_scaled(text, self.decimals)
        except MoreDecimals as more:
            raise MorePriceDecimals(more.decimals) from None
        if not number:
            raise BadNumber(str(text))
        if len(self) >= REMEMBERED:
            self.clear()
        self[text] = number
        return number


def to_scaled(text: str | bytes, decimals: int) -> int:
    """`text * 10**decimals` for a decimal number that is not negative. Raises `BadNumber`, `MoreDecimals`.

    Zeros at the end count as decimals: a venue's precision is that of what it writes.
    """
    literal = text if isinstance(text, bytes) else text.encode("ascii", "replace")
    whole, _, fraction = literal.partition(b".")
    digits = whole + fraction
    if not digits.isdigit() or len(digits) > MAX_DIGITS or not whole:
        return _uncommon(literal.decode("ascii", "replace"), decimals)
    missing = decimals - len(fraction)
    if not missing:
        return int(digits)
    if missing > 0:
        return int(digits) * int(10**missing)
    raise MoreDecimals(_checked(literal.decode(), len(fraction)))


def _uncommon(text: str, decimals: int) -> int:
    """Notations that JSON allows beside plain digits: exponents, and a minus before zero."""
    if len(text) > MAX_DIGITS or not text.isascii() or "_" in text:
        raise BadNumber(text)
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        raise BadNumber(text) from None
    if not isinstance(exponent, int) or abs(exponent) > MAX_DIGITS or (sign and any(digits)):
        raise BadNumber(text)
    number = int("".join(map(str, digits)))
    if exponent + decimals >= 0:
        return number * int(10 ** (exponent + decimals))
    divisor = int(10 ** -(exponent + decimals))
    if number % divisor == 0:
        return number // divisor
    raise MoreDecimals(_checked(text, -exponent))


def _checked(text: str, decimals: int) -> int:
    if decimals > MAX_DECIMALS:
        raise BadNumber(text)
    return decimals
