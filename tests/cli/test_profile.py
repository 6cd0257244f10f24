"""`mempool profile` draws where the time goes, from outside with py-spy and from inside the process."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from mempool.cli.main import run
from mempool.observe import py_spy
from mempool.observe.books_workload import exchange_of
from mempool.resources import load_tables
from tests.engine.blocks import EXACT_IN, TOKEN, BlockWriter, pair_of, router_call
from tests.exchanges.dialects import Binance, Bybit, Coinbase, Dialect, Kraken, Okx
from tests.grade.ledger import ETHER

DECODER = "decode_transaction (mempool/decode/decoder.py)"
SIMULATION = "simulate (mempool/simulate/intent.py)"


@pytest.fixture(autouse=True)
def by_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """What samples itself does so for half a second of its own, however many others want the processor."""
    monkeypatch.setattr("mempool.observe.sampler.time", SimpleNamespace(monotonic=time.process_time))


@pytest.fixture(scope="module")
def block_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some hundred swaps on one pair, as they were mined."""
    tables = load_tables()
    pair = pair_of(tables, tables.wrapped_native, TOKEN)
    block = BlockWriter(pair)
    for number in range(1, 201):
        amount = ETHER + number
        block.ledger.swap(pair, tables.wrapped_native, amount)
        block.add(router_call(EXACT_IN, amount, 0, [tables.wrapped_native, TOKEN]))
    return block.write(tmp_path_factory.mktemp("profile") / "block.json")


def tooltips(path: Path) -> list[str]:
    return [element.text or "" for element in ET.fromstring(path.read_text()).iter("{http://www.w3.org/2000/svg}title")]


def profile(work: str, file: Path, output: Path, *more: str) -> int:
    return run(["profile", work, str(file), "--output", str(output), "--seconds", "0.5", *more]) or 0  # type: ignore[return-value]


@pytest.mark.parametrize(("work", "function"), [("decode", DECODER), ("simulate", SIMULATION), ("replay", DECODER)])
def test_flame_graph_from_inside_shows_the_function_at_work(work: str, function: str, block_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "flame.svg"
    assert profile(work, block_file, output, "--sampler", "inside") == 0
    shown = tooltips(output)
    assert shown[0] == f"mempool {work}: block.json"
    assert any(text.startswith(f"{function}: ") for text in shown)
    assert any(text.startswith("repeat_for (mempool/observe/sampler.py): ") for text in shown)


def test_graph_says_who_took_the_samples_and_decoding_is_most_of_them(
    block_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "flame.svg"
    assert profile("decode", block_file, output) == 0
    assert "samples at 500 Hz" in capsys.readouterr().err
    [share] = [text.rsplit(", ", 1)[1] for text in tooltips(output) if text.startswith(f"{DECODER}: ")]
    assert float(share.removesuffix(" %")) > 50


def test_refused_ptrace_falls_back_to_sampling_inside_and_says_why(
    block_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = tmp_path / "py-spy"
    refuses.write_text("#!/bin/sh\necho 'Error: Permission Denied: Try running again with elevated permissions' >&2\nexit 1\n")
    refuses.chmod(0o755)
    monkeypatch.setattr(py_spy, "find_py_spy", lambda: str(refuses))
    output = tmp_path / "flame.svg"
    assert profile("decode", block_file, output) == 0
    said = capsys.readouterr().err
    assert "sampling inside the process instead: py-spy took no samples: Error: Permission Denied" in said
    assert any(text.startswith(f"{DECODER}: ") for text in tooltips(output))


def test_missing_py_spy_falls_back_but_not_where_it_was_asked_for(
    block_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(py_spy, "find_py_spy", lambda: None)
    assert profile("decode", block_file, tmp_path / "flame.svg", "--sampler", "py-spy") == 1
    assert "error: py-spy is not installed" in capsys.readouterr().err
    assert profile("decode", block_file, tmp_path / "flame.svg") == 0


def test_speedscope_file_names_the_decoder(block_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "decode.json"
    assert profile("decode", block_file, output, "--format", "speedscope", "--sampler", "inside") == 0
    frames = orjson.loads(output.read_bytes())["shared"]["frames"]
    assert {"name": "decode_transaction", "file": "mempool/decode/decoder.py"} in frames


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [(None, 2, "No such file"), (b"{}", 5, "it is no capture either"), (b"\x1f\x8b\x08broken", 5, "not a whole gzip file")],
)
def test_wrong_file_is_one_line(
    content: bytes | None, code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.json"
    if content is not None:
        path.write_bytes(content)
    assert profile("decode", path, tmp_path / "flame.svg") == code
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert words in said


def test_block_without_a_listed_router_says_that_there_is_nothing_to_profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    block = BlockWriter(pair_of(load_tables(), load_tables().wrapped_native, TOKEN))
    block.add(b"\x01\x02\x03\x04", to=b"\x99" * 20)
    assert profile("decode", block.write(tmp_path / "other.json"), tmp_path / "flame.svg") == 5
    assert "no transaction to a listed router" in capsys.readouterr().err


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Some hundred updates of one book, as Kraken sends them."""
    venue = Kraken()
    venue.books["ETH/USD"].change([("99.5", "1.5")], [("100.5", "1.5")])
    frames = [venue.snapshot("ETH/USD"), *(venue.update("ETH/USD", [("99.4", f"{size}.5")], []) for size in range(1, 301))]
    path = tmp_path / "kraken.txt"
    path.write_bytes(b"".join(b"%d %s\n" % (number, frame) for number, frame in enumerate(frames, 1)))
    return path


def test_flame_graph_of_books_shows_the_session_at_work(recording: Path, tmp_path: Path) -> None:
    output = tmp_path / "flame.svg"
    assert profile("books", recording, output, "--sampler", "inside") == 0
    assert any(text.startswith("ExchangeSession.receive (mempool/exchanges/session.py): ") for text in tooltips(output))


@pytest.mark.parametrize("venue", [Kraken(), Binance(), Coinbase(), Okx(), Bybit()], ids=lambda venue: venue.name)
def test_recording_is_known_for_its_exchange_s(venue: Dialect) -> None:
    symbol = venue.symbols[0]
    venue.books[symbol].change([("99.5", "1.5")], [("100.5", "1.5")])
    frames = [(1, venue.snapshot(symbol)), (2, venue.update(symbol, [("99.4", "2.5")], []))]
    found = exchange_of(frames)
    assert found is not None
    assert found.name == venue.name


def test_frames_of_nobody_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.txt"
    path.write_bytes(b'{"a":1}\n')
    assert profile("books", path, tmp_path / "flame.svg") == 5
    assert "no exchange's book is built from these frames" in capsys.readouterr().err
    assert run(["profile", "books"]) == 2
    assert "name a recording" in capsys.readouterr().err


def test_output_that_cannot_be_written_is_one_line(block_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert profile("decode", block_file, tmp_path / "absent" / "flame.svg", "--sampler", "inside") == 7
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
