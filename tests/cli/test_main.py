"""The frame of the command line, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from msgspec import to_builtins

from mempool import __version__
from mempool.cli import main as frame
from mempool.config import Settings
from mempool.errors import BadData, ConfigError, MempoolError, StoreError, UpstreamError
from tests.e2e.program import Ended, run_once

CANARY = "CANARY-0123456789abcdef"
HEAVY = ("web3", "eth_abi", "aiosqlite", "websockets", "aiohttp", "rich")


def mempool(*arguments: str, home: Path, **variables: str) -> Ended:
    return run_once(arguments, home, variables)


@pytest.mark.parametrize(
    "command",
    [
        "replay FILE",
        "scan --replay FILE",
        "export FILE --to out",
        "backtest FILE",
        "decode FILE",
        "simulate FILE",
        "profile decode FILE",
        "books --replay FILE --exchange kraken",
        "books gaps --replay FILE --exchange kraken",
    ],
)
def test_file_that_is_not_there_is_a_wrong_call_in_every_command(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert frame.run(command.replace("FILE", "none").split()) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: none: No such file or directory: ")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_no_heavy_library(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from mempool.cli.main import run\n"
        f"code = run({arguments})\n"
        f"print(code, sorted(set({HEAVY}) & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr


def test_every_command_has_help_that_says_what_it_does(tmp_path: Path) -> None:
    group: Any = typer.main.get_command(frame.app)
    assert group.commands
    below = [f"{name} {each}" for name, one in group.commands.items() for each in getattr(one, "commands", {})]
    assert "books gaps" in below
    for name in [*group.commands, *below]:
        done = mempool(*name.split(), "--help", home=tmp_path)
        assert (done.code, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Usage: mempool {name}")


def test_flag_has_the_default_that_the_settings_document() -> None:
    group: Any = typer.main.get_command(frame.app)
    documented = {key: value for key, value in to_builtins(Settings()).items() if value}
    for name, command in group.commands.items():
        defaults = {flag[2:].replace("-", "_"): option.default for option in command.params for flag in option.opts}
        differing = {key: defaults[key] for key in documented.keys() & defaults.keys() if str(defaults[key]) != documented[key]}
        assert differing == {}, name


def test_version_is_the_packages(tmp_path: Path) -> None:
    assert mempool("--version", home=tmp_path).stdout == f"mempool {__version__}\n"


@pytest.mark.parametrize("arguments", [["nosuch"], ["config", "--nosuch"], ["--color", "blue", "config"], []])
def test_wrong_call_ends_with_2_and_says_so_on_stderr(arguments: list[str], tmp_path: Path) -> None:
    done = mempool(*arguments, home=tmp_path)
    assert done.code == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_unknown_setting_ends_with_3_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mempool.toml").write_text("dbb = 'x'\n")
    done = mempool("config", home=tmp_path)
    assert (done.code, done.stdout) == (3, "")
    assert done.stderr == f"error: {tmp_path}/mempool.toml: unknown key dbb: did you mean db?\n"


def test_config_prints_each_setting_and_its_source_without_keys(tmp_path: Path) -> None:
    done = mempool("config", home=tmp_path, ETH_RPC_URL=f"wss://node.example/v3/{CANARY}", MEMPOOL_KEEP="7d")
    assert done.code == 0
    assert "rpc_url = wss://node.example/***  # variable ETH_RPC_URL" in done.stdout
    assert "keep = 7d  # variable MEMPOOL_KEEP" in done.stdout
    assert CANARY not in done.stdout + done.stderr


FLOOD = """
import sys, typer
from mempool.cli.main import app, main
@app.command()
def flood() -> None:
    while True:
        print("x" * 100)
sys.argv = ["mempool", "flood"]
main()
"""


def test_reader_that_leaves_ends_the_command_silently(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", FLOOD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as flood:
        assert flood.stdout is not None
        assert flood.stderr is not None
        assert flood.stdout.readline()
        flood.stdout.close()
        assert (flood.wait(120), flood.stderr.read()) == (0, b"")


def test_terminal_that_closes_under_a_command_ends_it_with_129(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen([sys.executable, "-c", FLOOD], stdout=theirs, stderr=subprocess.PIPE, cwd=tmp_path) as flood:
        os.close(theirs)
        assert flood.stderr is not None
        assert os.read(ours, 100)
        os.close(ours)
        assert (flood.wait(120), flood.stderr.read()) == (129, b"")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_ends_a_command_with_its_code_and_no_traceback(number: signal.Signals, code: int, tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from mempool.cli.main import app, main\n"
        "@app.command()\n"
        "def wait() -> None:\n"
        "    print('up', flush=True)\n"
        "    time.sleep(60)\n"
        "sys.argv = ['mempool', 'wait']\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as waiting:
        assert waiting.stdout is not None
        assert waiting.stderr is not None
        assert waiting.stdout.readline() == b"up\n"
        waiting.send_signal(number)
        assert (waiting.wait(120), waiting.stderr.read()) == (code, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_under_stdout_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mempool.cli.main", "config"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            cwd=tmp_path,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "error: standard output: No space left on device\n")


def test_full_disk_under_a_table_names_it_too_and_one_under_stderr_changes_no_code(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        for arguments, streams, code in (("routers", {"stdout": full}, 1), ("nonsense", {"stdout": full, "stderr": full}, 2)):
            options: dict[str, Any] = {"stderr": subprocess.PIPE, **streams}
            command = [sys.executable, "-m", "mempool.cli.main", arguments]
            done = subprocess.run(command, text=True, timeout=120, cwd=tmp_path, check=False, **options)
            assert done.returncode == code
            assert done.stderr in (None, "error: standard output: No space left on device\n")


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (MempoolError("a"), 1),
        (ConfigError("b"), 3),
        (UpstreamError("c"), 4),
        (BadData("d\x1b[31m\nnext"), 5),
        (StoreError("e"), 7),
    ],
)
def test_error_is_one_line_without_control_characters(
    problem: MempoolError, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise problem

    monkeypatch.setattr(frame, "app", broken)
    assert frame.run([]) == code
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert shown.count("\n") == 1
    assert "\x1b" not in shown


def test_traceback_of_a_bug_and_a_librarys_log_show_no_key(tmp_path: Path) -> None:
    url = f"wss://user:{CANARY}@node.example/v3/{CANARY}?api-key={CANARY}"
    script = (
        "import logging, sys\n"
        "from mempool.cli.main import app, main\n"
        "@app.command()\n"
        "def crash(rpc_url: str) -> None:\n"
        "    logging.getLogger('websockets.client').debug('> GET /v3/%s HTTP/1.1', rpc_url)\n"
        "    logging.getLogger('other').warning('connecting to %s', rpc_url)\n"
        "    raise ZeroDivisionError(rpc_url)\n"
        f"sys.argv = ['mempool', 'crash', {url!r}]\n"
        "main()\n"
    )
    (tmp_path / "crash.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "crash.py"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    shown = "\n".join(line for line in done.stderr.splitlines() if "sys.argv" not in line)
    assert done.returncode == 1
    assert "ZeroDivisionError" in shown
    assert "connecting to wss://node.example/***" in shown
    assert CANARY not in shown


def test_core_dumps_are_off(tmp_path: Path) -> None:
    script = (
        "from resource import *\nfrom mempool.cli.protection import protect\nprotect([], {})\nprint(getrlimit(RLIMIT_CORE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.stdout == "0\n"


def test_settings_reach_the_flags_of_the_same_name_and_help_shows_no_key(tmp_path: Path) -> None:
    script = (
        "import sys, typer\n"
        "from typing import Annotated\n"
        "from mempool.cli.main import app, main\n"
        "@app.command()\n"
        "def show(db: str = 'x', min_profit: float = 0.0, rpc_url: Annotated[list[str], typer.Option()] = []) -> None:\n"
        "    print(db, min_profit, len(rpc_url), rpc_url[0][-6:])\n"
        "sys.argv = ['mempool', *sys.argv[1:]]\n"
        "main()\n"
    )
    settings = tmp_path / "mempool.toml"
    settings.write_text(f'db = "here.sqlite"\nmin_profit = 0.5\nrpc_url = "wss://node.example/v3/{CANARY}"\n')
    settings.chmod(0o600)

    def show(*arguments: str) -> str:
        command = [sys.executable, "-c", script, "show", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False).stdout

    assert show() == f"here.sqlite 0.5 1 {CANARY[-6:]}\n"
    assert show("--db", "flag.sqlite") == f"flag.sqlite 0.5 1 {CANARY[-6:]}\n"
    assert CANARY not in show("--help")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_stream_that_was_closed_before_the_start_is_no_failure(closed: str, tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m mempool.cli.main config {closed}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["tial"], "error: No such command 'tial'. Did you mean 'tail'? (see `mempool --help`)"),
        (["replay"], "error: Missing argument 'FILE' (see `mempool replay --help`)"),
        (["tail", "--color", "never"], "error: --color stands before the command: mempool --color always tail"),
        (["config", "--json=1"], "error: No such option: --json (see `mempool config --help`)"),
    ],
)
def test_wrong_call_is_told_in_one_line_with_the_way_to_the_help(arguments: list[str], line: str, tmp_path: Path) -> None:
    assert mempool(*arguments, home=tmp_path).stderr == f"{line}\n"


def test_broken_node_url_ends_in_one_line_that_does_not_repeat_it(tmp_path: Path) -> None:
    done = mempool("run", "--rpc-url", f"ws://[::1/{CANARY}", home=tmp_path)
    assert done.code == ConfigError.exit_code
    assert len(done.stderr.splitlines()) == 1
    assert CANARY not in done.stderr


def test_no_row_of_the_help_is_cut_off(tmp_path: Path) -> None:
    for arguments in (["--help"], ["books", "--help"]):
        assert "..." not in mempool(*arguments, home=tmp_path, COLUMNS="80").stdout.replace("COMMAND [ARGS]...", "")
