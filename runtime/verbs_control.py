"""The verb `control`: choose mode and state of a running plant with their settings; say what was there already, and why not."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, EXIT_MISTAKES, SITE, JsonOption, SiteOption, fail, read
from runtime.records_view import opened, plain

EPILOG = (
    "Examples:  bessplc control --mode charge --rate 0.5C --target 80% --wait '30 s'      bessplc control --state run --reset"
    "      bessplc control --mode external --power '-40 kW' --hold '10 min'      bessplc control --mode idle      "
    "Discharge is positive."
)
NO_ANSWER = "no answer from the scan: it may still take it"
BEAT_S = 2.0  # the plant falls back after 10 s without one
LOOK_S = 0.05
Text = str | None


Mode = Annotated[Text, typer.Option("--mode", "-m", help="charge, external, self-consumption ...; idle opens contactors.")]
State = Annotated[Text, typer.Option("--state", help="run, idle or maintenance.")]
Rate = Annotated[Text, typer.Option("--rate", "--ramp", help="Charge: 0.5C is half the capacity an hour, a level.")]
Target = Annotated[Text, typer.Option("--target", help="Charge: the state of charge at which it ends, as 80%.")]
Power = Annotated[Text, typer.Option("--power", help="External, local, test: active power, as '100 kW'.")]
Reactive = Annotated[Text, typer.Option("--reactive", help="External, local: reactive power, as '20 kvar'.")]
Reserve = Annotated[Text, typer.Option("--reserve", help="Backup, self-consumption: what is kept for a backup, as 30%.")]
Grid = Annotated[Text, typer.Option("--grid", help="Self-consumption: power at the grid connection, as '0 kW'.")]
Commission = Annotated[
    bool | None, typer.Option("--commission/--no-commission", help="The plant is commissioned: all modes, not only test.")
]
Reset = Annotated[bool, typer.Option("--reset", help="First reset interlocks and faults.")]
Wait = Annotated[str, typer.Option("--wait", help="Wait so long for the effect; exit 1 where it does not come.")]
Hold = Annotated[str, typer.Option("--hold", help="External, local: keep the heartbeat for so long, or until Ctrl-C.")]


def control(
    mode: Mode = None,
    state: State = None,
    rate: Rate = None,
    target: Target = None,
    power: Power = None,
    reactive: Reactive = None,
    reserve: Reserve = None,
    grid: Grid = None,
    commission: Commission = None,
    reset: Reset = False,
    wait: Wait = "",
    hold: Hold = "",
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Choose what a running plant does. What is there already is not written again; a refusal says why; exit 1 where one was."""
    from runtime.orders import NEEDS_HEARTBEAT, Plant, Wanted, orders_of
    from runtime.places_of_tags import WrongWordsError

    if mode == "idle":
        mode, state = None, state or "idle"
    given = {"rate": rate, "target": target, "power": power, "reactive": reactive, "reserve": reserve, "grid": grid}
    wanted = Wanted(mode, state, {word: text for word, text in given.items() if text is not None}, commission, reset)
    if not (mode or state or wanted.settings or reset) and commission is None:
        fail("nothing is ordered: --mode, --state, --reset or a setting (`bessplc control --help`)", 2)
    patience, beats = _seconds(wait, "--wait"), _seconds(hold, "--hold")
    if beats and mode not in NEEDS_HEARTBEAT:
        fail(f"--hold belongs to --mode {' or '.join(NEEDS_HEARTBEAT)}", 2)
    plant = Plant(_attach(site))
    try:
        orders = orders_of(wanted, plant)
    except WrongWordsError as error:
        fail(str(error), 2)
    answers = _write(plant, site, orders)
    effect = _effect(plant, wanted, patience)
    if as_json:
        typer.echo(json.dumps({"orders": answers, **effect}, indent=2))
    else:
        _say(answers, effect, bool(patience), hint=mode in NEEDS_HEARTBEAT and not beats)
    is_refused = any(not answer["taken"] for answer in answers)
    if beats and not is_refused:
        _beat(plant, beats)
    raise typer.Exit(EXIT_MISTAKES if is_refused or (patience and not effect["reached"]) else 0)


def _seconds(text: str, option: str) -> float:
    from runtime.places_of_tags import WrongWordsError, duration_of

    try:
        return duration_of(text, option) / 1e9 if text else 0.0
    except WrongWordsError as error:
        fail(str(error), 2)


def _attach(site: Any) -> Any:
    from runtime.onlooker import NotRunningError, Onlooker

    seen = Onlooker(read(site, warn=False), site)
    try:
        seen.attach()
    except NotRunningError as error:
        fail(str(error), EXIT_HELD)
    return seen


def _write(plant: Any, site: Any, orders: list[Any]) -> list[dict[str, Any]]:
    """Have the scan do what is not there yet, and note it in the audit log; what was answered to each."""
    answers = [_as_json(order, "was there already", True, False) for order in orders if order.is_there]
    missing = [order for order in orders if not order.is_there]
    if not missing:
        return answers
    from runtime.cli_ring import command_line, who_types
    from runtime.onlooker import NotRunningError
    from runtime.servers.audit import Deed

    who = who_types()
    try:
        with command_line(plant.seen) as ring, opened(site) as records:
            for order in missing:
                reply = ring.ask(lambda commands: commands.write(order.tag, order.value, who.role))  # noqa: B023 - asked at once
                taken = reply is not None and reply.is_taken
                said = reply.text if reply is not None else NO_ANSWER
                scan = reply.scan if reply is not None else 0
                records.keep(Deed("cli", who, "write", order.tag.name, said, taken, 0, order.old, order.value, scan))
                answers.append(_as_json(order, said, taken, taken))
                if not taken:
                    break  # what follows would act on half of what was ordered
            if not records.flush():
                typer.echo("warning: the audit log could not be written", err=True)
    except NotRunningError as error:
        fail(str(error), EXIT_HELD)
    return answers


def _as_json(order: Any, answer: str, taken: bool, written: bool) -> dict[str, Any]:
    what = {"tag": order.tag.name, "value": plain(order.value), "told": order.told, "old": plain(order.old)}
    return {**what, "answer": answer, "taken": taken, "written": written}


def _effect(plant: Any, wanted: Any, patience: float) -> dict[str, Any]:
    """Wait until the plant does it, or no longer; and what it does, and why not what was ordered."""
    from runtime.orders import is_reached, reasons, situation

    until = time.monotonic() + max(patience, 4 * LOOK_S)  # also without --wait the programs have had their turn
    plant.look()
    while not is_reached(wanted, plant) and time.monotonic() < until:
        time.sleep(LOOK_S)
        plant.look()
    reached = is_reached(wanted, plant)
    return {"reached": reached, "now": situation(plant), "why": list(reasons(wanted, plant, _open_permits(plant)))}


def _open_permits(plant: Any) -> dict[str, list[str]]:
    """The open permits of the site's own interlock, as its program writes them."""
    if plant.get("site.ready") is not False:
        return {}
    from runtime.verify_interlocks import Round

    round, program = Round(plant.seen), plant.tag("site.ready").owner.removeprefix("program ")
    return {
        interlock.name: [f"{permit.number} ({round.text_of(interlock, permit)})" for permit in interlock.open]
        for interlock in round.look()
        if interlock.name.partition(".")[0] == program and not interlock.is_armed
    }


def _say(answers: list[dict[str, Any]], effect: dict[str, Any], has_waited: bool, hint: bool) -> None:
    for one in answers:
        typer.echo(f"{one['tag']} = {one['told']}: {one['answer']}", err=not one["taken"])
    if not any(one["written"] for one in answers) and all(one["taken"] for one in answers):
        typer.echo("nothing to do")
    now = effect["now"]
    if now["site.p"] is not None:
        flows, soc = f"{now['site.p']:.1f} kW", "" if now["bms.soc"] is None else f", state of charge {now['bms.soc']:.1f} %"
        typer.echo(f"mode {now['mode']}, power {flows}{soc}")
    for line in effect["why"]:
        typer.echo(f"  {line}")
    if has_waited and not effect["reached"]:
        typer.echo("the effect did not come in time", err=True)
    if hint:
        typer.echo("  without a heartbeat (set.heartbeat) this mode gives up after 10 s: --hold '10 min' keeps it")


def _beat(plant: Any, seconds: float) -> None:
    """Count the heartbeat up until the time is over or somebody presses Ctrl-C."""
    from runtime.cli_ring import command_line, who_types
    from runtime.onlooker import NotRunningError
    from runtime.orders import HEARTBEAT

    tag, role, until = plant.tag(HEARTBEAT), who_types().role, time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            plant.look()
            count = (int(plant.get(HEARTBEAT)) + 1) % 2**31
            with command_line(plant.seen) as ring:  # let go between two beats: others type, too
                reply = ring.ask(lambda commands: commands.write(tag, count, role))  # noqa: B023 - asked at once
            if reply is None or not reply.is_taken:
                fail(f"the heartbeat was not taken: {reply.text if reply is not None else NO_ANSWER}", EXIT_MISTAKES)
            time.sleep(min(BEAT_S, max(until - time.monotonic(), 0.0)))
    except NotRunningError as error:
        fail(str(error), EXIT_HELD)
    except KeyboardInterrupt:
        typer.echo("the heartbeat ends", err=True)
