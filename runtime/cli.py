"""The command line: one verb, one function."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from runtime import (
    __version__,
    verbs_alarms,
    verbs_blocks,
    verbs_certificates,
    verbs_check,
    verbs_control,
    verbs_diag,
    verbs_drivers,
    verbs_field,
    verbs_fmt,
    verbs_force,
    verbs_graph,
    verbs_live,
    verbs_load,
    verbs_log,
    verbs_map,
    verbs_new,
    verbs_prequalify,
    verbs_records,
    verbs_replay,
    verbs_schema,
    verbs_simulate,
    verbs_telemetry,
    verbs_test,
    verbs_trace,
    verbs_users,
    verbs_watch,
)
from runtime.options import SITE, JsonOption, SiteOption, fail, read

app = typer.Typer(
    name="bessplc",
    help="A soft PLC for battery energy storage: YAML function blocks, a deterministic scan, OPC UA and Modbus.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _main(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        print(f"bessplc {__version__}")
        raise typer.Exit()


@app.command(
    epilog="Examples:  bessplc run --site grid --sim      bessplc run --site /etc/bessplc/config/site.yaml --inhibit-outputs"
)
def run(
    site: SiteOption = SITE,
    sim: Annotated[
        bool, typer.Option("--sim", help="Start the site's simulated plant too: NAME.plant.yaml or plant.yaml.")
    ] = False,
    cold: Annotated[bool, typer.Option("--cold", help="Start with defaults, not with retained values.")] = False,
    inhibit_outputs: Annotated[
        bool, typer.Option("--inhibit-outputs", help="Run everything and write nothing (commissioning).")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Load files into the running site when they are saved.")] = False,
    reboot_command: Annotated[
        str,
        typer.Option(
            "--reboot-command", help="What reboots this machine when the site asks: 'systemctl reboot'. None: it may not."
        ),
    ] = "",
) -> None:
    """Run a site until Ctrl-C, then stop with safe outputs."""
    from runtime.restart import command_of
    from runtime.run import run_site

    try:
        reboot = command_of(reboot_command) if reboot_command else ()
    except ValueError as error:
        fail(f"--reboot-command: {error}", 2)
    raise typer.Exit(run_site(site, sim=sim, cold=cold, inhibit=inhibit_outputs, watch=watch, reboot=reboot))


app.command(epilog=verbs_check.EPILOG)(verbs_check.check)


@app.command(epilog="Examples:  bessplc show      bessplc show --json | jq .tasks")
def show(site: SiteOption = SITE, as_json: JsonOption = False) -> None:
    """Show what would run: tasks, order of execution, groups, memory map."""
    from runtime.language.show import show_json, show_text

    found = read(site)
    print(json.dumps(show_json(found), indent=2) if as_json else show_text(found))


app.command(epilog=verbs_blocks.EPILOG)(verbs_blocks.blocks)
app.command(epilog=verbs_drivers.EPILOG)(verbs_drivers.drivers)
app.command(epilog=verbs_live.DEVICES_EPILOG)(verbs_live.devices)
app.command(epilog=verbs_live.IO_EPILOG)(verbs_live.io)
app.command(epilog=verbs_field.DISCOVER_EPILOG)(verbs_field.discover)
app.command("map", epilog=verbs_map.EPILOG)(verbs_map.show_map)
app.command(epilog=verbs_simulate.EPILOG)(verbs_simulate.simulate)
app.command(epilog=verbs_prequalify.EPILOG)(verbs_prequalify.prequalify)
app.command("test", epilog=verbs_test.EPILOG)(verbs_test.check_programs)
app.command(epilog=verbs_schema.EPILOG)(verbs_schema.schema)
app.command(epilog=verbs_fmt.EPILOG)(verbs_fmt.fmt)
app.command(epilog=verbs_new.EPILOG)(verbs_new.new)
app.command(epilog=verbs_graph.EPILOG)(verbs_graph.graph)
app.command(epilog=verbs_load.EPILOG)(verbs_load.load)
app.command(epilog=verbs_log.EPILOG)(verbs_log.log)
app.command(epilog=verbs_watch.EPILOG)(verbs_watch.watch)
app.command(epilog=verbs_force.FORCE_EPILOG)(verbs_force.force)
app.command(epilog=verbs_force.UNFORCE_EPILOG)(verbs_force.unforce)
app.command(epilog=verbs_force.FORCES_EPILOG)(verbs_force.forces)
app.command(epilog=verbs_control.EPILOG)(verbs_control.control)
app.add_typer(verbs_diag.app, name="diag")
app.command(epilog=verbs_trace.EPILOG)(verbs_trace.trace)
app.add_typer(verbs_users.app, name="user")
app.add_typer(verbs_certificates.app, name="certificate")
app.add_typer(verbs_alarms.alarms, name="alarms")
app.command(epilog=verbs_records.AUDIT_EPILOG)(verbs_records.audit)
app.command(epilog=verbs_records.HISTORY_EPILOG)(verbs_records.history)
app.command(epilog=verbs_telemetry.EPILOG)(verbs_telemetry.telemetry)
app.command(epilog=verbs_replay.EPILOG)(verbs_replay.replay)
app.command("verify-interlocks", epilog=verbs_field.VERIFY_EPILOG)(verbs_field.verify_interlocks)


def main() -> None:
    """The console script."""
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
