from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

import orjson
import pytest

from mempool.errors import BadData
from mempool.observe.flamegraph import WIDTH, flamegraph_svg, layout, tree
from mempool.observe.speedscope import speedscope_json
from mempool.observe.stacks import Stack, below, by_function, parse_folded

SVG = "{http://www.w3.org/2000/svg}"
RAW = """\
main (app.py:3);work (app.py:10);decode (mempool/decode/calls.py:40) 30
main (app.py:3);work (app.py:11);decode (mempool/decode/calls.py:41) 10
main (app.py:3);work (app.py:11);<lambda> (a&"b".py:1) 60
"""


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def test_boxes_are_as_wide_as_their_share_and_stand_inside_their_caller() -> None:
    root = tree(by_function(parse_folded(RAW)))
    boxes = {box.name: box for box in layout(root)}
    assert (root.count, boxes["main (app.py)"].width, boxes["work (app.py)"].width) == (100, 100, 100)
    decode = boxes["decode (mempool/decode/calls.py)"]
    assert (decode.width, decode.depth) == (40, 3)
    for box in layout(root):
        assert box.x >= 0
        assert box.x + box.width <= root.count


def test_svg_is_well_formed_and_every_box_has_its_tooltip() -> None:
    image = drawn(flamegraph_svg(parse_folded(RAW), "decode", "60 & more"))
    tooltips = [group.findtext(f"{SVG}title") or "" for group in image.iter(f"{SVG}g")]
    assert "decode (mempool/decode/calls.py:40): 30 samples, 30.0 %" in tooltips
    assert '<lambda> (a&"b".py:1): 60 samples, 60.0 %' in tooltips
    for box in image.iter(f"{SVG}rect"):
        assert float(box.get("x", "0")) + float(box.get("width", "0")) <= WIDTH


def test_svg_of_foreign_names_has_no_script_link_or_markup() -> None:
    names: Counter[Stack] = Counter({('<script>alert("x")</script>', '" onload="x', "</text><a href='x'>"): 5})
    image = drawn(flamegraph_svg(names, "<b>title</b>"))
    assert {element.tag.removeprefix(SVG) for element in image.iter()} <= {"svg", "g", "title", "rect", "text"}


def test_no_samples_give_an_empty_but_valid_image() -> None:
    assert drawn(flamegraph_svg({}, "nothing")).tag == f"{SVG}svg"


def test_deep_stacks_are_drawn_without_recursion() -> None:
    deep = {tuple(f"f{depth}" for depth in range(3_000)): 1}
    assert flamegraph_svg(deep, "deep").count("<rect") == 3_002


def test_folded_line_without_a_count_is_named() -> None:
    with pytest.raises(BadData, match="line 2"):
        parse_folded("a;b 3\nno count here\n")


def test_what_called_the_root_falls_away() -> None:
    stacks = below(parse_folded(RAW + "idle (x.py:1) 9\n"), "work")
    assert sum(stacks.values()) == 100
    assert {stack[0] for stack in stacks} == {"work (app.py:10)", "work (app.py:11)"}


def test_loading_of_libraries_is_no_part_of_the_workload() -> None:
    loading = "main (app.py:3);work (app.py:9);_find_and_load (<frozen importlib._bootstrap>:1165);multiply (x.py:1) 500\n"
    assert sum(below(parse_folded(RAW + loading), "work").values()) == 100


def test_speedscope_file_weighs_every_stack_once_in_seconds() -> None:
    stacks = parse_folded(RAW)
    file = orjson.loads(speedscope_json(stacks, "decode", 100))
    profile, frames = file["profiles"][0], file["shared"]["frames"]
    assert profile["weights"] == [0.3, 0.1, 0.6]
    assert profile["endValue"] == pytest.approx(1.0)
    named = [[frames[index]["name"] for index in sample] for sample in profile["samples"]]
    assert named[0] == ["main", "work", "decode"]
    assert frames[2]["file"] == "mempool/decode/calls.py:40"
