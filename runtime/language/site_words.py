"""The words of config/site.yaml that are neither tags nor devices: tasks, watchdog, servers. It must not know programs."""

from __future__ import annotations

from runtime.language.tables import TaskDraft
from runtime.language.words import PLAIN_NAME, as_section, check_words, choice_of, duration_of, section_of, texts_of
from runtime.model import Watchdog
from runtime.source import Report, Section, Text, place_of

SITE_WORDS = (
    "site",
    "description",
    "include",
    "constants",
    "tasks",
    "io",
    "tags",
    "libraries",
    "channels",
    "watchdog",
    "servers",
    "sim",
    "authority",
    "overview",
    "runtime",
)
TASK_WORDS = ("interval", "phase", "programs", "text")
SHORTEST = 100_000  # ns: below this no task keeps its time
LEAST_HEARTBEAT = 5  # scans: a machine that hesitates once must not stop the plant


def read_tasks(site: Section, report: Report) -> list[tuple[TaskDraft, list[Text]]]:
    """The tasks in order, and the names of their programs. Intervals are whole multiples of the shortest, the base tick."""
    section = section_of(site, "tasks", "`tasks`", report)
    if not section:
        report.error(
            site.key_at("tasks"), "E007", "the site has no `tasks`", "`tasks: {control: {interval: 50 ms, programs: [dispatch]}}`"
        )
    found = []
    for name, words in section.items():
        body = as_section(words, name.at, f"the task `{name}`", report)
        if body is None:
            continue
        if not PLAIN_NAME.match(name):
            report.error(name.at, "E106", f"`{name}` is no name for a task", "letters, digits and _")
        check_words(body, TASK_WORDS, "a task", report)
        interval = _interval(name, body, report)
        found.append(
            (
                TaskDraft(str(name), interval, duration_of(body, "phase", report, 0) or 0, []),
                texts_of(body, "programs", report),
                body,
            )
        )
    tick = min((task.interval for task, _, _ in found if task.interval), default=0)
    for task, _, body in found:
        _check_multiples(task, tick, body, report)
    return [(task, names) for task, names, _ in found]


def _interval(name: Text, body: Section, report: Report) -> int:
    if "interval" not in body:
        report.error(name.at, "E007", f"the task `{name}` has no `interval`", "`interval: 50 ms`")
        return 0
    interval = duration_of(body, "interval", report)
    if interval is not None and interval < SHORTEST:
        report.error(place_of(body["interval"]), "E204", f"an interval is at least {SHORTEST // 1000} us", "")
        return 0
    return interval or 0


def _check_multiples(task: TaskDraft, tick: int, body: Section, report: Report) -> None:
    if not tick or not task.interval:
        return
    if task.interval % tick:
        low = task.interval // tick * tick
        report.error(
            place_of(body["interval"]),
            "E701",
            f"the interval of `{task.name}` is not a whole multiple of the base tick of {_ms(tick)}",
            f"{_ms(low)} or {_ms(low + tick)}?",
            "the shortest interval of all tasks is the base tick",
        )
    if task.phase % tick or task.phase >= task.interval:
        report.error(
            place_of(body["phase"]),
            "E701",
            f"the phase of `{task.name}` is not a whole number of base ticks below its interval",
            f"the base tick is {_ms(tick)}",
        )


def _ms(ns: int) -> str:
    return f"{ns / 1e6:g} ms"


def read_watchdog(site: Section, tick: int, report: Report) -> Watchdog:
    """What happens after so many late scans in a row, and after how long a silence of the scan. `tick` is the base tick (ns)."""
    section = section_of(site, "watchdog", "`watchdog`", report)
    check_words(section, ("overruns", "then", "heartbeat"), "the watchdog", report)
    text = section.get("overruns", Text("0"))
    heartbeat = duration_of(section, "heartbeat", report) or max(Watchdog.heartbeat, LEAST_HEARTBEAT * tick)
    if heartbeat < LEAST_HEARTBEAT * tick:
        report.error(
            place_of(section["heartbeat"]),
            "E010",
            f"`heartbeat` is at least {LEAST_HEARTBEAT} scans of {tick / 1e6:g} ms",
            "a machine that hesitates once must not stop the plant",
        )
    if not isinstance(text, Text) or not text.isdecimal() or len(text) > 9:
        report.error(place_of(text), "E010", "`overruns` is a whole number", "how many late scans in a row")
        return Watchdog(heartbeat=heartbeat)
    then = choice_of(section, "then", ("run", "safe"), report, "safe" if int(text) else "run")
    return Watchdog(int(text), then, heartbeat)
