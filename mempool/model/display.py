"""Foreign text and big numbers in a form that a terminal, a page and SQLite can take.

Whatever a token, a node or a caller wrote passes `display` once, where it comes in: a symbol may hold escape sequences,
bidirectional or zero-width characters, lone surrogates (SQLite refuses them) or NUL (SQLite's `length` stops there).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from decimal import Decimal, localcontext

REPLACEMENT = "\ufffd"
MAX_DECIMALS = 36
"""A token that claims more decimals than this is not priced."""
_ASCII_LOOKALIKES = str.maketrans("0156b", "olsgg")


def display(text: str | bytes, limit: int = 32) -> str:
    """At most `limit` printable characters in NFC; what is not printable becomes U+FFFD, a cut ends in `…`.

    Bytes are read as UTF-8 after the NULs that pad a `bytes32` symbol are taken off.
    """
    if isinstance(text, bytes):
        text = text[: 8 * limit].rstrip(b"\0").decode("utf-8", "replace")
    normal = unicodedata.normalize("NFC", text[: 4 * limit])
    shown = printable(normal)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def printable(text: str) -> str:
    """The same number of characters, each that is not printable replaced by U+FFFD."""
    return "".join(character if character.isprintable() else REPLACEMENT for character in text)


def excerpt(text: str, limit: int = 200) -> str:
    """Foreign text fit for a message: one line of printable characters, cut at `limit`."""
    return printable(text[:limit])


def short_address(address: bytes | str) -> str:
    """`0x1234…abcd` of 20 bytes or of their hex text."""
    text = address if isinstance(address, str) else f"0x{address.hex()}"
    return f"{text[:6]}…{text[-4:]}"


def token_label(symbol: str, address: bytes | str, *, listed: bool, listed_symbols: Collection[str] = ()) -> str:
    """A listed token's symbol; any other token's with its short address, marked where it looks like a listed one.

    In a look-alike every character that is not ASCII is shown as `?`. A token without a symbol is its short address.
    """
    if listed:
        return symbol
    symbol = display(symbol)
    if not symbol.strip():
        return short_address(address)
    if looks_like(symbol, listed_symbols):
        plain = "".join(character if character.isascii() else "?" for character in symbol)
        symbol = f"{plain} (unverified)"
    return f"{symbol} {short_address(address)}"


def looks_like(symbol: str, listed_symbols: Collection[str]) -> bool:
    """Whether `symbol` may be taken for a listed one.

    A letter of a foreign alphabet matches any letter, since a table of look-alikes is never complete; wide characters
    (Chinese, emoji) look like no Latin letter.
    """
    letters = _skeleton(symbol)
    visible = letters.replace(REPLACEMENT, "")
    return any(
        _may_be(letters, wanted) or _may_be(visible, wanted) for wanted in (_skeleton(listed) for listed in listed_symbols)
    )


def _skeleton(symbol: str) -> str:
    compatible = unicodedata.normalize("NFKD", symbol).casefold()
    kept = (character for character in compatible if not unicodedata.combining(character) and not character.isspace())
    return "".join(kept).translate(_ASCII_LOOKALIKES)


def _may_be(letters: str, wanted: str) -> bool:
    return len(letters) == len(wanted) and all(
        mine == theirs or not (mine.isascii() or unicodedata.east_asian_width(mine) in "WF")
        for mine, theirs in zip(letters, wanted, strict=True)
    )


def priced_decimals(decimals: int | None) -> int | None:
    """The decimals if a token may be priced by them, else None."""
    return decimals if decimals is not None and 0 <= decimals <= MAX_DECIMALS else None


def format_amount(amount: int, decimals: int, digits: int = 4) -> str:
    """A token amount as people write it: at least `digits` significant digits, thousands separated, no trailing zeros.

    The whole part is never cut up to 15 digits; beyond that, and below 10^-9, in powers of ten. Rounds half to even.
    """
    with localcontext() as context:
        context.prec = 100
        return _format(Decimal(amount).scaleb(-decimals), digits)


def format_number(value: float, digits: int = 4) -> str:
    """The same for a number that was only computed to print or rank."""
    return _format(Decimal(repr(value)), digits)


def format_percent(ratio: float) -> str:
    """A ratio from 0 as people read it: `0 %`, `<0.001 %`, `0.0012 %`, `0.155 %`, `46 %`, `1,234 %`; never in powers of ten."""
    percent = 100 * ratio
    if 0 < percent < 0.001:
        return "<0.001 %"
    if percent >= 999.5:
        return f"{percent:,.0f} %"
    return f"{percent:.{2 if percent < 0.01 else 3}g} %"


def format_dollars(value: float) -> str:
    """`$1,234.50`, `-$0.52`."""
    text = f"${abs(value):,.2f}"
    return f"-{text}" if value < 0 and text != "$0.00" else text


def _format(value: Decimal, digits: int) -> str:
    exponent = value.adjusted()
    if not value:
        return "0"
    if not -9 <= exponent < 15:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}"
    text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
