"""`mempool tail` as a user meets it: lines for people, objects for programs, and nothing foreign in a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import random
import re
import sqlite3
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from mempool.cli.main import run
from mempool.model.opportunity import Bound, OpportunityKind
from mempool.model.outcome import Cause, RevertGrade
from mempool.model.record import Gap, LabelSeen, Record, Reorged, RunEnd, TokenSeen, TransactionSeen
from mempool.model.swap import Step
from mempool.store.writer import Store
from tests.store.examples import (
    FAST,
    FOREIGN,
    LISTED,
    SECOND_NS,
    START_NS,
    block,
    database,
    exposed,
    graded,
    hash_of,
    intent,
    predicted,
    run_start,
    seen,
    store_records,
    swap_records,
)

STYLE = re.compile("\x1b\\[[0-9;]*m")
LABEL = LabelSeen("protocol", "uniswap_v2", "Uniswap V2")
TAIL = (sys.executable, "-m", "mempool.cli.main", "tail")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    backrun = exposed(2, 0.012, OpportunityKind.BACKRUN)
    moved = graded(2, error=-1_000_000, cause=Cause.MOVED_AHEAD, moved_by=(hash_of(9),))
    return database(tmp_path / "mempool.sqlite", [LABEL, *swap_records([1]), seen(2), predicted(2), backrun, moved])


def shown(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> list[str]:
    assert run(["tail", "--db", str(path), *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_swap_reads_as_people_write_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = shown(capsys, path)[0]
    assert line == "12.4 ETH -> 30,869 USDC  impact 0.42 %  exposed 0.03 ETH  Uniswap V2  0x0000…0001"


def test_outcomes_and_backruns_say_what_happened_and_who_moved_the_pool(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, first, _, backrun, second = shown(capsys, path)
    assert first == "mined  as predicted to the wei  Uniswap V2  0x0000…0001"
    assert backrun == "backrun  0.011 WETH after gas  $30.00  through 0x4444…4444 > 0x4444…4444  Uniswap V2  0x0000…0002"
    assert second == (
        "mined  1 USDC (0.0032 %) less than predicted: moved ahead by 0x0000…0009, exact at its place in the block"
        "  Uniswap V2  0x0000…0002"
    )


def test_json_has_a_schema_and_amounts_as_text(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    objects = [json.loads(line) for line in shown(capsys, path, "--json", "--kind", "all")]
    assert {each["schema"] for each in objects} == {"mempool.tail/1"}
    assert [each["kind"] for each in objects] == ["swap", "sandwich_exposure", "outcome", "swap", "backrun", "outcome"]
    swap, exposure, outcome = objects[:3]
    assert (swap["amount_in"], swap["hash"], swap["symbol_out"]) == ("12400000000000000000", hash_of(1), "USDC")
    assert swap["commands"] == ["swapExactETHForTokens"]
    assert exposure["gross_profit"] == "30000000000000000"
    assert exposure["legs"][0]["amount_in"] == "5000000000000000000"
    assert outcome["error_as_predicted"] == "0"


@pytest.mark.parametrize(
    ("arguments", "kinds"),
    [
        (("-n", "1"), ["outcome"]),
        (("-n", "0"), []),
        (("--kind", "backrun"), ["backrun"]),
        (("--kind", "swap,backrun"), ["swap", "swap", "backrun"]),
        (("--min-profit", "0.02", "--kind", "all"), ["swap", "sandwich_exposure"]),
        (("--where", "cause = 'moved_ahead'"), ["outcome"]),
        (("--where", "impact > 0.004 AND symbol_out = 'USDC'"), ["swap", "swap"]),
        (("--where", "profit_eth > 1"), []),
        (("--since", "2023-11-14T22:13:22+00:00"), ["swap", "backrun", "outcome"]),
        (("--since", "10m"), []),
    ],
)
def test_filters(path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], kinds: list[str]) -> None:
    assert [json.loads(line)["kind"] for line in shown(capsys, path, "--json", *arguments)] == kinds


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--where", "profit_eth > 1"), "no row matches"),
        (("--since", "10m"), "no row matches"),
        (("--kind", "cex_dex", "--json"), "no row matches"),
        (("-n", "0"), ""),
        (("-n", "1"), ""),
    ],
)
def test_nothing_to_show_is_said_where_it_disturbs_no_data(
    path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(["tail", "--db", str(path), *arguments]) == 0
    assert capsys.readouterr().err == (f"{path}: {said}\n" if said else "")


def test_database_without_a_swap_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = database(tmp_path / "mempool.sqlite", [LABEL])
    assert shown(capsys, path) == []
    run(["tail", "--db", str(path)])
    assert capsys.readouterr().err == f"{path}: no row of a swap or a finding is there\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--min-profit", "nan"), "--min-profit: nan is no amount of ETH"),
        (("--where", "colour = 1"), "--where: no such column: colour in swaps, findings, grades"),
        (("--where", "1 ="), "--where: "),
        (("--where", "1) UNION SELECT 1 --"), "--where: "),
        (("--where", "hash = :x"), "--where: You did not supply a value for binding"),
        (("--where", "load_extension('x')"), "--where: "),
        (("--where", "EXISTS (SELECT 1 FROM pragma_database_list)"), "--where: "),
        (("--where", "length(zeroblob(1000000000)) > 0"), "--where: string or blob too big"),
        (("--kind", "sandwich"), "--kind: there is no 'sandwich'"),
        (("--since", "yesterday"), "--since: 'yesterday' is neither"),
    ],
)
def test_wrong_arguments_end_with_2_and_one_line(
    path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert run(["tail", "--db", str(path), *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert message in err


def test_a_where_that_never_ends_is_stopped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mempool.store.events.QUERY_SECONDS", 0.2)
    endless = "EXISTS (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT 1 FROM n WHERE x < 0)"
    product = "(SELECT count(*) FROM sqlite_master a, sqlite_master b, sqlite_master c, sqlite_master d, sqlite_master e) < 0"
    for where in (endless, product):
        assert run(["tail", "--db", str(path), "--where", where]) == 2


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM runs", "ATTACH 'x' AS y", "PRAGMA user_version = 9", "PRAGMA query_only = OFF", "CREATE TABLE x (y)"],
)
def test_the_reader_cannot_write_whatever_it_is_told(path: Path, statement: str) -> None:
    from mempool.store.events import EventFilter, EventReader

    reader = EventReader(path, EventFilter(("swap",)))
    with pytest.raises(sqlite3.DatabaseError):
        reader._connection.execute(statement)
    reader.close()


def test_a_missing_database_a_newer_one_and_a_foreign_file_end_with_7(
    tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("not a database, whatever its name says" * 100)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for name, message in (("none", "does not exist"), ("text", "is not an SQLite database"), (path.name, "schema 99")):
        assert run(["tail", "--db", str(tmp_path / name)]) == 7
        assert message in capsys.readouterr().err


def test_gaps_are_printed_whatever_is_filtered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mempool.sqlite"
    cut = Gap("node-a", START_NS + 20 * SECOND_NS, START_NS + 25 * SECOND_NS, "connection lost", 12)
    asyncio.run(store_records(path, [*LISTED, *swap_records([1]), cut]))
    asyncio.run(store_records(path, swap_records([9_000]), run=run_start(START_NS + 8_000 * SECOND_NS)))
    lines = shown(capsys, path, "--kind", "swap")
    assert [line.split()[0] for line in lines] == ["12.4", "---", "---", "12.4"]
    assert "no data for 5.0 s" in lines[1]
    assert "connection lost, 12 fetched afterwards" in lines[1]
    assert "no data for 73 min" in lines[2]
    assert "the run before ended: clean" in lines[2]


def test_a_database_in_a_moment_of_writing_can_be_followed_across_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    database(path, swap_records([1]))
    with subprocess.Popen((*TAIL, "--db", path, "-f", "--json", "--kind", "swap"), stdout=subprocess.PIPE) as tail:
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["hash"] == hash_of(1)
        asyncio.run(store_records(path, swap_records([2]), run=run_start(START_NS + 4_000 * SECOND_NS)))
        # The new run may be seen before its first row.
        assert {json.loads(tail.stdout.readline())["kind"] for _ in range(2)} == {"swap", "gap"}
        path.unlink()
        asyncio.run(store_records(path, swap_records([3])))
        assert json.loads(tail.stdout.readline())["hash"] == hash_of(3)
        tail.terminate()
        assert tail.wait(120) == 143


def test_following_ends_silently_when_the_reader_leaves_though_nothing_comes(path: Path) -> None:
    command = f"{' '.join(TAIL)} --db {path} -f --json | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    line, status = done.stdout.splitlines()
    assert (json.loads(line)["kind"], status, done.stderr) == ("swap", "0", "")


def test_a_swap_that_would_revert_an_unknown_token_and_a_reorg_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = intent(token_out=FOREIGN)
    reverting = predicted(1, wanted)
    result = msgspec.structs.replace(reverting.prediction.result, reverts="too little received")
    reverting = msgspec.structs.replace(reverting, prediction=msgspec.structs.replace(reverting.prediction, result=result))
    bound = exposed(2, 0.5)
    bound = msgspec.structs.replace(bound, opportunity=msgspec.structs.replace(bound.opportunity, bound=Bound.UPPER_BOUND))
    records: list[Record] = [
        *(seen(1, wanted), reverting, graded(1, error=None, cause=Cause.EXACT, revert=RevertGrade.RIGHT)),
        *(seen(2, wanted), predicted(2, wanted), bound, exposed(2, 0.1, OpportunityKind.BACKRUN)),
        *(seen(3), predicted(3, on=block(90)), exposed(3, 0.2, OpportunityKind.BACKRUN), Reorged(block(90).hash)),
    ]
    path = database(tmp_path / "mempool.sqlite", records)
    text = "\n".join(shown(capsys, path))
    assert "units of 0x3333…3333  would revert: too little received" in text
    assert "mined  reverted as predicted  " in text
    assert "exposed at most 0.5 ETH" in text
    assert text.count("reorged") == 1


def evil_symbols(count: int) -> list[str]:
    """Control, escape, C1, bidirectional, zero-width and markup sequences between letters, all of them somewhere."""
    controls = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
    formats = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf"]
    sequences = [
        "\x1b[31m",
        "\x1b]8;;http://x\x07",
        "\x1b]52;c;AAAA\x07",
        "\x9b2J",
        "[red]",
        "[link=http://x]",
        "\r\n",
        "\ud800",
        "%n",
    ]
    pick = random.Random(7)
    pieces = [*controls, *formats, *sequences]
    return ["".join(pick.choice([*pick.sample(pieces, 3), "U", "SDC"]) for _ in range(12)) for _ in range(count)]


@pytest.fixture(scope="module")
def evil_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records: list[Record] = []
    for number, symbol in enumerate(evil_symbols(500)):
        wanted = intent(token_out=number.to_bytes(20, "big"))
        evil_call = msgspec.structs.replace(seen(number, wanted).decoded, reason=symbol, steps=(Step(0, "", symbol, 0),))
        opportunity = msgspec.structs.replace(exposed(number).opportunity, note=symbol, bound=Bound.STATE_UNKNOWN)
        records += [
            TokenSeen(number.to_bytes(20, "big"), symbol, number % 40),
            TransactionSeen(seen(number, wanted, source=symbol).transaction, evil_call),
            predicted(number, wanted),
            msgspec.structs.replace(exposed(number), opportunity=opportunity),
            Gap(symbol, START_NS, START_NS + 700 * SECOND_NS, symbol),
        ]
    return database(tmp_path_factory.mktemp("evil") / "mempool.sqlite", records)


def in_pipe(command: list[str]) -> bytes:
    return subprocess.run(command, capture_output=True, timeout=180, check=True).stdout


def on_terminal(command: list[str]) -> bytes:
    controller, terminal = pty.openpty()
    with subprocess.Popen(command, stdout=terminal, stderr=terminal, env={**os.environ, "TERM": "xterm-256color"}) as process:
        os.close(terminal)
        output = b""
        while chunk := read(controller):
            output += chunk
    os.close(controller)
    assert process.returncode == 0
    return output


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # Linux says EIO when the other side of a terminal is closed
        return b""


@pytest.mark.parametrize("output", [in_pipe, on_terminal])
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_no_foreign_control_character_reaches_the_output(
    evil_path: Path, output: Callable[[list[str]], bytes], flags: list[str]
) -> None:
    printed = output([*TAIL, "--db", str(evil_path), "-n", "5000", "--kind", "all", *flags]).decode()
    ours = printed.replace("\r\n", "\n") if output is on_terminal else printed
    if output is on_terminal and not flags:
        assert set(STYLE.findall(ours)) <= {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[35m"}
        ours = STYLE.sub("", ours)
    leaked = {character for character in ours if unicodedata.category(character) in {"Cc", "Cf", "Cs"}} - {"\n"}
    assert leaked == set()
    assert printed.count("\n") == 1_500
    if not flags:
        assert "(unverified)" in printed
    if output is on_terminal and not flags:
        assert "\x1b[1m" in printed
        assert "\x1b]8" not in printed


def test_colour_is_for_terminals_without_no_color(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert b"\x1b[3" not in on_terminal([*TAIL, "--db", str(path)])
    assert b"\x1b" not in in_pipe([*TAIL, "--db", str(path)])


def test_tail_reads_while_a_run_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mempool.sqlite"

    async def write_and_read() -> None:
        store = await Store.open(path, run_start(), FAST)
        for record in swap_records(range(50)):
            store.put(record)
        await store.flush()
        assert await asyncio.to_thread(run, ["tail", "--db", str(path), "-n", "7", "--json"]) == 0
        await store.close(RunEnd.CLEAN, START_NS)

    asyncio.run(write_and_read())
    assert len(capsys.readouterr().out.splitlines()) == 7


def test_tail_imports_nothing_heavy(path: Path) -> None:
    script = (
        f"import sys; from mempool.cli.main import run; run(['tail', '--db', {str(path)!r}]);"
        " print([name for name in ('web3', 'eth_abi', 'aiosqlite', 'websockets') if name in sys.modules])"
    )
    started = time.monotonic()
    assert in_pipe([sys.executable, "-c", script]).splitlines()[-1] == b"[]"
    assert time.monotonic() - started < 30


def test_terminal_without_unicode_gets_question_marks(path: Path) -> None:
    command, environ = [*TAIL, "--db", str(path), "-n", "1"], {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("0x0000?0002\n")
