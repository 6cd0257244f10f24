"""The command line's frame: the commands, the settings under their flags, and one line and one exit code for every failure."""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal, Never, cast

import typer
from typer.core import TyperGroup

from mempool import __version__
from mempool.cli.backtest import backtest_command
from mempool.cli.books import books_command
from mempool.cli.books_gaps import gaps_command
from mempool.cli.config import config_command
from mempool.cli.console import choose_color
from mempool.cli.decode import decode_command
from mempool.cli.end_codes import HUNG_UP, INTERRUPTED, TERMINATED
from mempool.cli.export import export_command
from mempool.cli.grade import grade_command
from mempool.cli.profile import profile_command
from mempool.cli.protection import learn_secrets, protect
from mempool.cli.replay import replay_command
from mempool.cli.routers import routers_command
from mempool.cli.run import run_command
from mempool.cli.scan import scan_command
from mempool.cli.silence import silence
from mempool.cli.simulate import simulate_command
from mempool.cli.tail import tail_command
from mempool.config import LoadedSettings, load_settings
from mempool.errors import MempoolError, UpstreamError, UsageError
from mempool.model.display import display

EPILOG = """\b
Examples:
  ETH_RPC_URL=wss://host mempool run         watch a node until Ctrl-C
  mempool tail -f                            follow what it finds
  mempool replay FILE --db replay.sqlite     play a capture again
  mempool backtest BLOCK.json.gz             grade on mined blocks

\b
Exit codes: 0 done, 1 failure, 2 usage (a file to read that is not there too), 3 configuration,
4 node or exchange unreachable, 5 bad data, 7 storage, 129, 130 and 143 on signals.
"""

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""There is no room to write: whatever is written elsewhere than to standard output names its file."""
WrongCall = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""What typer raises on a wrong option or argument; it has no public name for it."""


class Commands(TyperGroup):
    """The group of all commands: a wrong call is told in one line, a reader that closes the pipe ends any of them silently."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of `COMMANDS`, those with others below them too."""
        order = {name_of(command): place for place, command in enumerate(COMMANDS)}
        return sorted(super().list_commands(ctx), key=lambda name: order.get(name, len(order)))

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **options: Any) -> Any:
        bare = not args  # that one prints the whole help
        try:
            return super().make_context(info_name, args, *rest, **options)
        except WrongCall as problem:
            if bare:
                raise
            raise usage_error(problem) from None
        except BrokenPipeError:
            end_on_closed_pipe()

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except WrongCall as problem:
            raise usage_error(problem) from None
        except BrokenPipeError:
            end_on_closed_pipe()


def usage_error(problem: typer.BadParameter) -> UsageError:
    """What is wrong, and where the right options stand."""
    command = problem.ctx.command_path if problem.ctx is not None else "mempool"
    if command != "mempool" and getattr(problem, "option_name", "") == "--color":
        return UsageError("--color stands before the command: mempool --color always tail")
    return UsageError(f"{problem.format_message().rstrip('.')} (see `{command} --help`)")


app = typer.Typer(
    name="mempool",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mempool {__version__}")
        raise typer.Exit


@app.callback()
def frame(
    context: typer.Context,
    color: Annotated[Literal["auto", "always", "never"] | None, typer.Option(help="Colour: auto is on a terminal only.")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Watches Ethereum's pending swaps, simulates each exactly, and grades every prediction against the mined block."""
    loaded = load_settings(os.environ, Path.cwd())
    learn_secrets(url.reveal() for url in loaded.settings.rpc_url)
    choose_color(color or loaded.settings.color)
    context.default_map = default_map(context, loaded)


def default_map(context: typer.Context, loaded: LoadedSettings) -> dict[str, Any]:
    """For each command, the settings that were given somewhere, as the defaults of the flags of the same name."""
    group: Any = context.command
    commands = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: defaults(command, loaded) for name, command in commands.items()}


def defaults(command: Any, loaded: LoadedSettings) -> dict[str, Any]:
    """Those of one command, and under their names those of the commands below it."""
    flags = {
        option.name: flag_default(option, getattr(loaded.settings, key))
        for option in command.params
        for key in {flag.lstrip("-").replace("-", "_") for flag in option.opts} & loaded.origins.keys()
    }
    return flags | {name: defaults(each, loaded) for name, each in getattr(command, "commands", {}).items()}


def flag_default(option: Any, value: Any) -> Any:
    """A setting as a flag takes it. URLs stand behind a function: help shows a default's value, but not a function's."""
    if not isinstance(value, tuple):
        return str(value)
    return lambda: [url.reveal() for url in value] if option.multiple else value[0].reveal()


COMMANDS: dict[Callable[..., None], str] = {
    run_command: "Watch a node, predict every pending swap, grade each.",
    tail_command: "Print the swaps and findings of a run, as they come.",
    grade_command: "Print how exact the predictions were.",
    replay_command: "Play a capture again, to the same rows.",
    backtest_command: "Grade predictions on mined blocks from files.",
    books_command: "Follow exchanges' order books, each proven.",
    export_command: "Write a database or a capture as Parquet files.",
    scan_command: "Print arbitrage between exchanges as it opens.",
    routers_command: "List the routers whose calls are decoded.",
    decode_command: "Say which swaps a call asks of a router.",
    simulate_command: "Simulate one call's swaps, to the wei.",
    profile_command: "Draw where the time goes, as a flame graph.",
    config_command: "Print the settings in force and their origins.",
}
"""With what `mempool --help` says of each in one row; the whole is the command's docstring."""
BELOW: dict[Callable[..., None], dict[Callable[..., None], str]] = {
    books_command: {gaps_command: "Print every gap of the books, oldest first."},
}
"""The commands below a command, which also does its own work without one."""


def name_of(command: Callable[..., None]) -> str:
    return command.__name__.removesuffix("_command")


def add(command: Callable[..., None], summary: str, group: typer.Typer) -> None:
    name = name_of(command)
    if command not in BELOW:
        group.command(name, short_help=summary)(command)
        return
    below = typer.Typer(invoke_without_command=True, rich_markup_mode=None, subcommand_metavar="[COMMAND [ARGS]...]")
    below.callback()(command)
    for each, of_each in BELOW[command].items():
        add(each, of_each, below)
    group.add_typer(below, name=name, short_help=summary)


for command, summary in COMMANDS.items():
    add(command, summary, app)


def main() -> None:
    """The entry point: never a traceback for what the user or the world can cause."""
    protect(sys.argv[1:], os.environ)
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int | str | None:
    """Run one command line; the exit code."""
    return flushed(attempt(arguments))


def attempt(arguments: Sequence[str]) -> int | str | None:
    """The exit code before the output is flushed; what the world can cause is told in one line."""
    try:
        app(args=list(arguments), prog_name="mempool")
    except SystemExit as end:
        return end.code
    except MempoolError as problem:
        return fail(str(problem), problem.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as problem:
        if is_hung_up(problem):
            silence(sys.stdout.fileno())
            return HUNG_UP
        where = str(problem.filename or ("standard output" if problem.errno in FULL else ""))
        return fail(": ".join(filter(None, [where, problem.strerror or str(problem)])), 1)
    return 0


def fail(message: str, exit_code: int) -> int:
    """One clear line on stderr, where that can be written."""
    try:
        typer.echo(f"error: {display(message, 1000)}", err=True)
    except OSError:
        silence(sys.stderr.fileno())
    return exit_code


def flushed(code: int | str | None) -> int | str | None:
    """The exit code, after what is still buffered went out; a reader that has left is no failure."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout.fileno())
    except OSError as problem:
        hung_up = is_hung_up(problem)
        silence(sys.stdout.fileno())
        return code or (HUNG_UP if hung_up else fail(f"standard output: {problem.strerror}", 1))
    return code


def end_on_closed_pipe() -> Never:
    """End with 0 where the reader of our output has left; a broken connection elsewhere is a failure."""
    if not is_closed(sys.stdout.fileno()):
        raise UpstreamError("the other side closed the connection")
    silence(sys.stdout.fileno())
    raise typer.Exit(0)


def is_hung_up(problem: OSError) -> bool:
    """Whether standard output is a terminal that has closed."""
    return problem.errno == errno.EIO and is_closed(sys.stdout.fileno())


def is_closed(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, event in poll.poll(0))


def terminate(number: int, frame: FrameType | None) -> Never:
    raise SystemExit(TERMINATED)


if __name__ == "__main__":
    main()
