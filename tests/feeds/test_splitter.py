"""A stream of JSON texts is cut where they end, however it arrives."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mempool.errors import UpstreamError
from mempool.feeds.splitter import Splitter

JSON = st.recursive(
    st.none() | st.integers(-9, 9) | st.text('{}[]",:\\\n a', max_size=8), lambda inner: st.lists(inner, max_size=3)
)
OBJECTS = st.lists(st.dictionaries(st.text('{}"\\x', max_size=3), JSON, max_size=3), max_size=6)


@settings(max_examples=100, deadline=None)
@given(OBJECTS, st.sampled_from([b"", b"\n", b" \r\n", b"\n\n"]), st.lists(st.integers(1, 20), min_size=1), st.booleans())
def test_texts_come_out_whole_and_in_order(messages: list[object], between: bytes, sizes: list[int], indented: bool) -> None:
    option = orjson.OPT_INDENT_2 if indented else 0
    stream = b"".join(orjson.dumps(message, option=option) + between for message in messages)
    splitter, texts, at, turn = Splitter(1 << 20), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        texts += splitter.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert [orjson.loads(text) for text in texts] == messages


def test_texts_without_a_newline_come_at_once() -> None:
    assert Splitter(100).feed(b'{"a":"}{"}{"b":[]}{"c"') == [b'{"a":"}{"}', b'{"b":[]}']


def test_line_of_two_texts_is_two() -> None:
    assert Splitter(100).feed(b'{"a":1}{"b":2}\n') == [b'{"a":1}', b'{"b":2}']


def test_text_without_an_end_is_an_error_once_it_is_too_long() -> None:
    splitter = Splitter(1_000)
    assert splitter.feed(b'{"a":"' + b"x" * 900) == []
    with pytest.raises(UpstreamError, match="longer than 1000 bytes"):
        splitter.feed(b"x" * 200)


def test_stray_bracket_ends_a_text_that_the_session_will_drop() -> None:
    assert Splitter(100).feed(b'}{"a":1}') == [b"}", b'{"a":1}']
