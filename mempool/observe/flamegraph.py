"""Draws folded stacks as a flame graph: one static SVG that any browser shows, with a tooltip on every box."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from colorsys import hls_to_rgb
from xml.sax.saxutils import escape

from msgspec import Struct, field

from mempool.observe.stacks import Stack

WIDTH, ROW, MARGIN, HEAD, FOOT = 1200, 17, 10, 52, 14
CHARACTER = 6.7
"""Pixels of one character of the 11-pixel monospaced text."""
SMALLEST = 0.4
"""Boxes narrower than this many pixels are not drawn."""


class Node(Struct):
    """A function at one place of the tree: its samples, those of what it called among them."""

    name: str
    count: int = 0
    children: dict[str, Node] = field(default_factory=dict)


class Box(Struct, frozen=True):
    """One rectangle; `x` and `width` in samples."""

    name: str
    depth: int
    x: int
    width: int


def flamegraph_svg(stacks: Mapping[Stack, int], title: str, subtitle: str = "") -> str:
    """The SVG's text. A box is as wide as its share of the samples; callers stand below what they call."""
    root = tree(stacks)
    boxes = [box for box in layout(root) if root.count and box.width * scale(root) >= SMALLEST]
    depth = max((box.depth for box in boxes), default=0)
    height = HEAD + (depth + 1) * ROW + FOOT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"',
            'font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="11">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#fffdf7"/>',
            f'<text x="{WIDTH // 2}" y="22" font-size="16" text-anchor="middle" fill="#222">{escape(title)}</text>',
            f'<text x="{WIDTH // 2}" y="40" text-anchor="middle" fill="#666">{escape(subtitle)}</text>',
            *(draw(box, root, height) for box in boxes),
            "</svg>\n",
        ]
    )


def tree(stacks: Mapping[Stack, int]) -> Node:
    """The stacks merged from their outermost frame on, under one root of all samples."""
    root = Node("all")
    for stack, count in stacks.items():
        node = root
        node.count += count
        for name in stack:
            node = node.children.setdefault(name, Node(name))
            node.count += count
    return root


def layout(node: Node, depth: int = 0, x: int = 0) -> Iterator[Box]:
    """The node's box and those above it; neighbours by name, so that two graphs of one program look alike."""
    pending = [(node, depth, x)]
    while pending:
        current, level, start = pending.pop()
        yield Box(current.name, level, start, current.count)
        for _, child in sorted(current.children.items()):
            pending.append((child, level + 1, start))
            start += child.count


def scale(root: Node) -> float:
    """Pixels for one sample."""
    return (WIDTH - 2 * MARGIN) / root.count


def draw(box: Box, root: Node, height: int) -> str:
    x, width = MARGIN + box.x * scale(root), box.width * scale(root)
    y = height - FOOT - (box.depth + 1) * ROW
    share = f"{100 * box.width / root.count:.1f} %"
    label = fitted(box.name, int((width - 6) / CHARACTER))
    text = f'<text x="{x + 3:.1f}" y="{y + 12}" fill="#1a1a1a">{escape(label)}</text>' if label else ""
    tooltip = f"<title>{escape(box.name)}: {box.width} samples, {share}</title>"
    drawn = f'x="{x:.1f}" y="{y}" width="{max(width - 0.5, SMALLEST):.1f}" height="{ROW - 1}" rx="1.5" fill="{color(box.name)}"'
    return f"<g>{tooltip}<rect {drawn}/>{text}</g>"


def fitted(name: str, characters: int) -> str:
    """The name in so many characters: whole, else the function alone, else cut, "" where it would say nothing."""
    function = name.split(" (")[0]
    if len(name) <= characters:
        return name
    if len(function) <= characters:
        return function
    return f"{function[: characters - 1]}…" if characters >= 4 else ""


def color(name: str) -> str:
    """A warm colour for our own functions, a cool one for libraries; the same name has the same shade in every graph."""
    shade = zlib.crc32(name.encode("utf-8", "replace")) % 40
    hue, lightness, saturation = (18 + shade * 0.8, 66, 0.88) if "(mempool/" in name else (190 + shade, 74, 0.32)
    red, green, blue = hls_to_rgb(hue / 360, (lightness + shade % 10) / 100, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
