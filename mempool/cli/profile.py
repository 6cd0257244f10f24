"""`mempool profile`: where the time goes, as a flame graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mempool.errors import MempoolError, StoreError, UsageError

if TYPE_CHECKING:
    from collections import Counter

    from mempool.observe.stacks import Stack

BUNDLED = Path("tests") / "fixtures" / "devnet.capture.gz"


def profile_command(
    work: Annotated[
        Literal["decode", "simulate", "replay", "books"],
        typer.Argument(metavar="WORK", help="decode, simulate, replay or books."),
    ],
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="A capture or a block file; default: the checkout's bundled capture. For books a recording of frames.",
        ),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The file to write.")] = Path("flame.svg"),
    format_: Annotated[
        Literal["svg", "speedscope"], typer.Option("--format", help="A flame graph, or a file for speedscope.")
    ] = "svg",
    seconds: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, max=600, help="How long the work is repeated.")] = 5.0,
    rate: Annotated[int, typer.Option(metavar="HERTZ", min=10, max=1000, help="Samples a second.")] = 500,
    sampler: Annotated[
        Literal["auto", "py-spy", "inside"],
        typer.Option(help="py-spy looks from outside, where it may; else the program samples itself."),
    ] = "auto",
) -> None:
    """Run the decoder, the simulation, a whole replay or order books over a file, and draw where the time goes.

    \b
    Examples:
      mempool profile decode --output flame.svg
      mempool profile replay today.capture.gz --format speedscope --output replay.json
      mempool profile books kraken.txt.gz
    """
    if file is None and work == "books":
        raise UsageError("books: name a recording of an exchange's frames")
    path = file or bundled_capture()
    stacks, how = take_samples(work, path, seconds, rate, sampler)
    total = sum(stacks.values())
    if not total:
        raise MempoolError("no sample was taken: give --seconds more")
    note = f"{total:,} samples at {rate} Hz, {how}"
    write(output, render(stacks, format_, f"mempool {work}: {path.name}", note, rate))
    typer.echo(f"{output}: {note}", err=True)


def bundled_capture() -> Path:
    """The capture in the checkout; a wheel has none. Raises `UsageError`."""
    from mempool.resources import ROOT

    path = ROOT / BUNDLED
    if not path.is_file():
        raise UsageError("there is no bundled capture here: name a capture or a block file")
    return path


def take_samples(work: str, path: Path, seconds: float, rate: int, sampler: str) -> tuple[Counter[Stack], str]:
    """The stacks, and who took them. Says on stderr why py-spy did not, where it was not ruled out."""
    from mempool.observe.py_spy import ROOT, PySpyRefused, sample_outside
    from mempool.observe.sampler import repeat_for, sample
    from mempool.observe.stacks import below
    from mempool.observe.workloads import workload

    one_round = workload(work, path)
    if sampler != "inside":
        try:
            return sample_outside(work, path, seconds, rate), "by py-spy"
        except PySpyRefused as refusal:
            if sampler == "py-spy":
                raise
            typer.echo(f"sampling inside the process instead: {refusal}", err=True)
    return below(sample(lambda: repeat_for(seconds, one_round), rate), ROOT), "of processor time, from inside the process"


def render(stacks: Counter[Stack], format_: str, title: str, note: str, rate: int) -> bytes:
    from mempool.observe.flamegraph import flamegraph_svg
    from mempool.observe.speedscope import speedscope_json

    return flamegraph_svg(stacks, title, note).encode() if format_ == "svg" else speedscope_json(stacks, title, rate)


def write(output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as problem:
        raise StoreError(f"{output} cannot be written: {problem.strerror}; name another file") from problem
