"""Tick bitmap walking, and how positions change what is known."""

from __future__ import annotations

import pytest

from mempool.amm.ticks import TickLiquidity, TickTable, initialised_ticks
from mempool.errors import TicksUnknown

POOL = b"\xbb" * 20


def table(*ticks: int, spacing: int = 1) -> TickTable:
    """The ticks of TickBitmap's own tests have spacing 1; words -2 to 3 are known."""
    words = dict.fromkeys(range(-2, 4), 0)
    for tick in ticks:
        words[tick // spacing >> 8] |= 1 << (tick // spacing & 255)
    return TickTable(POOL, spacing, words, dict.fromkeys(ticks, TickLiquidity(1, 1)))


INITIALISED = (-200, -55, -4, 70, 78, 84, 139, 240, 535)


@pytest.mark.parametrize(
    ("tick", "expected"),
    [
        (78, (84, True)),
        (-55, (-4, True)),
        (77, (78, True)),
        (-56, (-55, True)),
        (255, (511, False)),
        (-257, (-200, True)),
        (508, (511, False)),
        (383, (511, False)),
    ],
)
def test_next_tick_above_stays_within_one_word(tick: int, expected: tuple[int, bool]) -> None:
    assert table(*INITIALISED).next_above(tick) == expected


@pytest.mark.parametrize(
    ("tick", "expected"),
    [
        (78, (78, True)),
        (79, (78, True)),
        (258, (256, False)),
        (256, (256, False)),
        (72, (70, True)),
        (-257, (-512, False)),
        (1023, (768, False)),
        (900, (768, False)),
    ],
)
def test_next_tick_below_includes_the_tick_itself(tick: int, expected: tuple[int, bool]) -> None:
    assert table(*INITIALISED).next_below(tick) == expected


def test_negative_ticks_between_spacings_round_down() -> None:
    assert table(-120, spacing=60).next_below(-61) == (-120, True)
    assert table(-60, spacing=60).next_above(-61) == (-60, True)


def test_word_or_tick_that_is_not_known_raises_and_is_never_zero() -> None:
    known = TickTable(POOL, 1, {0: 1 << 5}, {})
    with pytest.raises(TicksUnknown, match="tick bitmap word 1"):
        known.next_above(255)
    with pytest.raises(TicksUnknown, match="the liquidity at tick 5"):
        known.net_liquidity(5)


def test_burning_a_position_undoes_its_mint() -> None:
    before = table(-4, 70)
    assert before.with_position(-4, 78, 1000).with_position(-4, 78, -1000) == before


def test_positions_that_share_a_tick_keep_it_initialised_until_the_last_leaves() -> None:
    shared = table().with_position(0, 10, 100).with_position(10, 20, 40)
    assert shared.ticks[10] == TickLiquidity(gross=140, net=-60)
    assert shared.with_position(0, 10, -100).ticks[10] == TickLiquidity(gross=40, net=40)
    assert initialised_ticks(0, shared.words[0], 1) == [0, 10, 20]


def test_mint_outside_the_known_words_leaves_them_unknown() -> None:
    moved = table().with_position(5, 256 * 100, 7)
    assert set(moved.words) == set(range(-2, 4))
    assert set(moved.ticks) == {5}


def test_burn_at_a_tick_of_unknown_liquidity_puts_its_word_in_doubt() -> None:
    known = TickTable(POOL, 1, {0: 1 << 5 | 1 << 9, 1: 0}, {9: TickLiquidity(3, 3)})
    burnt = known.with_position(5, 9, -3)
    assert burnt == TickTable(POOL, 1, {1: 0}, {})
    minted = known.with_position(5, 9, 3)
    assert minted == TickTable(POOL, 1, known.words, {9: TickLiquidity(6, 0)})


def test_original_table_is_untouched() -> None:
    before = table(70)
    before.with_position(0, 10, 5)
    assert before == table(70)
