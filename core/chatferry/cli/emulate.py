"""``chatferry emulate``: stand-ins for iAdvize and for CRMs, each a command of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from chatferry.cli.commands import workspace_of
from chatferry.cli.output import console
from chatferry.cli.stopping import stop_on_signals
from chatferry.cli.times import Duration
from chatferry.emulators import Emulator, Server
from chatferry.settings.fields import nearest


class Emulators(click.Group):
    """The emulators that plugins offer, looked up when one is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        return list(workspace_of(ctx).installed.emulators())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command that runs one."""
        found = workspace_of(ctx).installed.emulators()
        emulator = found.get(cmd_name)
        if emulator is None:
            there = f"; there are: {', '.join(sorted(found))}"
            ctx.fail(f'there is no emulator "{cmd_name}"{nearest(cmd_name, found) or there}')
        return command_of(emulator)


@click.pass_context
def _list(context: click.Context) -> None:
    """List the emulators if none is named."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


emulate = Emulators(
    "emulate",
    help="""Run a stand-in for iAdvize or a CRM.

    Each is a command with options of its own; without a name they are listed. All of them take --host,
    --port, --latency and --fault, run until interrupted, and forget everything then. No configuration
    is needed.
    """,
    invoke_without_command=True,
    callback=_list,
)


def command_of(emulator: Emulator) -> click.Command:
    """Return the command that runs an emulator."""
    faults = "\n".join(f"  {name:<24}{text}" for name, text in emulator.faults.items())
    return click.Command(
        emulator.name,
        callback=_callback(emulator),
        params=[*_common_options(), *emulator.options],
        help=emulator.summary,
        epilog=f"\b\nFaults:\n{faults}" if faults else None,
    )


def _common_options() -> Sequence[click.Option]:
    return (
        click.Option(["--host"], default="127.0.0.1", show_default=True, help="Where to listen."),
        click.Option(
            ["--port"],
            type=click.IntRange(0, 65535),
            default=0,
            show_default=True,
            help="Which port; 0 takes a free one.",
        ),
        click.Option(
            ["--latency"], type=Duration(), default=0.0, help="How long each answer takes, such as 80ms."
        ),
        click.Option(
            ["--fault", "faults"],
            multiple=True,
            metavar="NAME[=VALUE][:RATE|:xTIMES]",
            help="Misbehave: always, at a rate such as :0.05, or so many times, such as :x3. Repeatable.",
        ),
    )


def _callback(emulator: Emulator) -> Any:
    def run(*, host: str, port: int, latency: float, faults: Sequence[str], **options: Any) -> None:
        try:
            board = emulator.board(*faults, seed=options.get("seed") or 0)
            app = emulator.create(faults=board, latency=latency, **options)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        try:
            server = Server(app, host=host, port=port)
        except (OSError, SystemExit):
            # Werkzeug prints why it cannot listen, and exits.
            raise click.UsageError(f"{host}:{port} cannot be listened on; choose another --port") from None
        _serve(emulator, server, board.on)

    return run


def _serve(emulator: Emulator, server: Server, faults: Sequence[Any]) -> None:
    """Serve until SIGINT or SIGTERM."""
    out = console()
    with stop_on_signals() as stop, server:
        out.print(f"{emulator.name} is emulated at {server.url}", markup=False, soft_wrap=True)
        for hint in emulator.hints:
            out.print(f"  {hint.format(url=server.url)}", markup=False, soft_wrap=True)
        if faults:
            names = ", ".join(fault.name for fault in faults)
            out.print(f"It misbehaves: {names}.", markup=False, soft_wrap=True)
        out.print("Ctrl-C ends it.")
        out.file.flush()
        stop.wait()
