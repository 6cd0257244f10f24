"""Writes folded stacks as a speedscope file, whose format is described by the schema that it names."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from mempool import __version__
from mempool.observe.stacks import Stack

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope_json(stacks: Mapping[Stack, int], name: str, rate_hz: int) -> bytes:
    """A `sampled` profile: every distinct stack once, weighted by its samples, in seconds."""
    frames: dict[str, int] = {}
    samples = [[frames.setdefault(frame, len(frames)) for frame in stack] for stack in stacks]
    weights = [count / rate_hz for count in stacks.values()]
    profile = {
        "type": "sampled",
        "name": name,
        "unit": "seconds",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
    return orjson.dumps(
        {
            "$schema": SCHEMA,
            "name": name,
            "exporter": f"mempool {__version__}",
            "activeProfileIndex": 0,
            "shared": {"frames": [_frame(text) for text in frames]},
            "profiles": [profile],
        }
    )


def _frame(text: str) -> dict[str, str]:
    function, bracket, place = text.partition(" (")
    return {"name": function, "file": place.removesuffix(")")} if bracket else {"name": function}
