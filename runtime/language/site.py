"""The public door of the office: reads a site's files and gives the checked, laid-out Site, or every mistake in them at once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from blocks import catalogue as all_blocks
from blocks.declare import BlockType
from runtime.contract import DriverFront
from runtime.language.alarms import name_first_out, warn_of_critical
from runtime.language.border import device_models
from runtime.language.constants import Constants, read_constants
from runtime.language.device_alarms import declare_suppressed, suppress_alarms
from runtime.language.devices import judge_together, read_device
from runtime.language.entries import Entries
from runtime.language.files import Files, Folder, Texts
from runtime.language.function_blocks import check_definition
from runtime.language.include import with_included
from runtime.language.kept_state import keep_state
from runtime.language.loader import read_yaml
from runtime.language.network import Draft, Program
from runtime.language.order import in_order
from runtime.language.places import like
from runtime.language.points import DeviceDraft
from runtime.language.program import declare_program, read_program
from runtime.language.references import read_authority, read_overview, read_requests
from runtime.language.repeat import repeat_of
from runtime.language.site_words import SITE_WORDS, read_tasks, read_watchdog
from runtime.language.tables import TaskDraft, schedule, tag_model
from runtime.language.tags import declare_site_tags, declare_system_tags, place_tags
from runtime.language.unused import warn_of_unused
from runtime.language.wiring import Wiring
from runtime.language.words import check_words, section_of, text_of, texts_of
from runtime.model import Site, Tag
from runtime.site_files import SITES, root_of
from runtime.source import Position, Problem, Report, Section, SiteError, Text, did_you_mean

SITE_FILE = "config/site.yaml"


def load_site(
    path: Path,
    drivers: Mapping[str, DriverFront],
    catalogue: Mapping[str, BlockType] | None = None,
    check_servers: ServerCheck | None = None,
) -> tuple[Site, tuple[Problem, ...]]:
    """Read the site of this `config/site.yaml` and everything that it names; the second value is its warnings.

    The site's root is the folder above the `config/` that it stands in. `check_servers` is asked what it thinks of the
    `servers:` section, so that its mistakes are shown together with all others. Raises SiteError with all problems of all files.
    """
    root = root_of(path)
    file = path.resolve().relative_to(root).as_posix()
    return _load(Folder(root), file, root, drivers, catalogue, check_servers)


def load_draft(path: Path, drivers: Mapping[str, DriverFront]) -> tuple[Draft, Site]:
    """The same site with the network that it was laid out from: what feeds every pin, for drawings. Raises SiteError."""
    root = root_of(path)
    loading = _Loading(Folder(root), root, drivers, dict(all_blocks()))
    site, _ = loading.load(path.resolve().relative_to(root).as_posix(), None)
    return loading.draft, site


def load_text(
    texts: Mapping[str, str],
    drivers: Mapping[str, DriverFront] | None = None,
    catalogue: Mapping[str, BlockType] | None = None,
    root: Path = Path("."),
    file: str = SITE_FILE,
) -> tuple[Site, tuple[Problem, ...]]:
    """The same for texts in memory: `{"config/site.yaml": ..., "programs/a.yaml": ...}`.

    Drivers look for other files under `root`; `file` is the site's own.
    """
    return _load(Texts(texts), file, root, drivers or {}, catalogue)


def _load(
    files: Files,
    file: str,
    root: Path,
    drivers: Mapping[str, DriverFront],
    catalogue: Mapping[str, BlockType] | None,
    check_servers: ServerCheck | None = None,
) -> tuple[Site, tuple[Problem, ...]]:
    was_enabled = gc.isenabled()
    gc.disable()  # nothing is freed before the end, so the collector would only walk what is being built
    try:
        loading = _Loading(files, root, drivers, dict(catalogue if catalogue is not None else all_blocks()))
        return loading.load(file, check_servers)
    finally:
        if was_enabled:
            gc.enable()


ServerCheck = Callable[[Section, Sequence[Tag], Path, Report, Mapping[str, str]], None]


class _Loading:
    """One load: the files read so far and the draft of the site."""

    def __init__(self, files: Files, root: Path, drivers: Mapping[str, DriverFront], catalogue: dict[str, BlockType]):
        self.files = files
        self.root = root
        self.drivers = drivers
        self.report = Report()
        self.draft = Draft(self.report, catalogue)
        self.texts: dict[str, str] = {}
        self.devices: list[DeviceDraft] = []
        self.constants = Constants({})
        self.entries = Entries()
        self.unmade: dict[str, list[Problem]] = {}  # function blocks that need constants which this site has not

    def load(self, file: str, check_servers: ServerCheck | None) -> tuple[Site, tuple[Problem, ...]]:
        site = self.site(file)
        check_words(site, SITE_WORDS, "the site", self.report)
        declare_system_tags(self.draft)
        self.read_devices(site)
        declare_site_tags(section_of(site, "tags", "`tags`", self.report), self.draft)
        self.read_libraries(site)
        tasks = self.read_programs(site)
        tick = min((task.interval for task in tasks if task.interval), default=0)
        watchdog = read_watchdog(site, tick, self.report)
        for program in [program for task in tasks for program in task.programs]:
            read_program(program, self.draft)
        suppress_alarms(self.devices, tasks, self.draft)
        programs = [program for task in tasks for program in task.programs]
        self.report.problems += [p for name in sorted(self.draft.opened_blocks) for p in self.unmade.get(name, ())]
        for program in programs:
            steps = in_order(program, self.report)
            Wiring(program, self.draft).settle(steps)
            keep_state(program, self.draft)
        name_first_out(self.draft)
        overview, authority = read_overview(site, self.draft), read_authority(site, self.draft)
        requests = read_requests(site, self.draft)
        servers = like(site, list(section_of(site, "servers", "`servers`", self.report).items()))  # the site's, wherever written
        if check_servers is not None:
            known = [tag_model(tag) for tag in self.draft.tags.values() if tag.type is not None]
            check_servers(servers, known, self.root, self.report, self.constants.values)
        self.stop_if_wrong()
        programs_here = [] if self.files.names(SITES) else self.files.names("programs")  # one of several sites may leave some out
        warn_of_unused(self.draft, set(self.draft.programs), programs_here, self.texts, self.report)
        warn_of_critical(self.draft)
        tags = list(self.draft.tags.values())
        region = place_tags(tags)
        laid = schedule(tags, region, tasks, self.devices, self.draft.alarms, watchdog, authority, self.texts)
        made = Site(
            text_of(site, "site", self.report, self.root.resolve().name),
            str(self.root),
            laid,
            device_models(self.devices),
            dict(servers),
            tuple(sorted(self.texts)),
            overview,
            dict(self.constants.values),
            requests,
        )
        self.entries.tell_once(self.report)
        return made, tuple(sorted(dict.fromkeys(self.report.problems)))

    def stop_if_wrong(self) -> None:
        self.entries.tell_once(self.report)
        self.report.problems = list(dict.fromkeys(self.report.problems))
        self.report.raise_if_any()

    def site(self, file: str) -> Section:
        """The site's file with what it includes, its constants filled in. Raises SiteError where it cannot be read."""
        site = with_included(file, self.parsed, self.report)
        if site is None:
            self.stop_if_wrong()
            raise AssertionError("a file that cannot be read is a problem")
        self.constants = read_constants(section_of(site, "constants", "`constants`", self.report), self.report)
        rest = like(site, [(word, part) for word, part in site.items() if word != "constants"])
        return self.entries.each(self.constants.fill(rest, self.report), self.report)

    def section(self, name: str, reference: Text | None) -> Section | None:
        """One file with the site's constants filled in, and an entry for each value of its `for`."""
        section = self.parsed(name, reference)
        if section is None or not any(sign in self.texts[name] for sign in ("$", "for:")):
            return section
        return self.entries.each(self.constants.fill(section, self.report), self.report)

    def parsed(self, name: str, reference: Text | None) -> Section | None:
        """One file, parsed once. A file that is missing is reported where it is named."""
        try:
            text = self.files.read(name)
        except OSError as error:
            at = Position(name, 0, 0) if reference is None else reference.at
            self.report.error(at, "E004", f"the file {name} cannot be read: {error.strerror}", "", *self.near(name))
            return None
        except UnicodeDecodeError as error:
            self.report.error(
                Position(name, 0, 0), "E001", f"the file {name} is not UTF-8 text: {error.reason} at byte {error.start}"
            )
            return None
        text = text.removeprefix("\ufeff")
        self.texts[name] = text
        return read_yaml(name, text, self.report)

    def near(self, name: str) -> tuple[str, ...]:
        hint = did_you_mean(name, self.files.names(name.rpartition("/")[0]))
        return (hint,) if hint else ()

    def read_devices(self, site: Section) -> None:
        used: dict[str, Text] = {}
        for name in texts_of(site, "io", self.report):
            if self.is_second(name, used, "io_map"):
                continue
            file = f"io_maps/{name}.yaml"
            section = self.section(file, name)
            if section is None:
                continue
            repeat = repeat_of(section, self.report)
            for one in [section] if repeat is None else repeat.each():
                device = read_device(one, file, site, self.root, self.drivers, self.draft)
                if device is not None:
                    self.devices.append(device)
            if repeat is not None:
                repeat.tell()
        judge_together(self.devices, self.drivers, self.report)
        declare_suppressed(self.devices, self.draft)

    def is_second(self, name: Text, used: dict[str, Text], what: str) -> bool:
        before = used.setdefault(name.lower(), name)
        if before is not name:
            self.report.error(
                name.at, "E702", f"the {what} `{name}` is used twice", "", f"the first is at {before.at.file}:{before.at.line}"
            )
        return before is not name

    def read_libraries(self, site: Section) -> None:
        """Function blocks in YAML: the files that the site lists, and those in programs/ that define one."""
        listed = {str(name): name for name in texts_of(site, "libraries", self.report)}
        found = {name: None for name in self.files.names("programs") if name not in listed and self.defines_block(name)}
        for file, reference in {**listed, **found}.items():
            known = len(self.report.problems)
            section = self.section(file, reference)
            if section is None:
                continue
            name = section.get("function_block")
            if reference is None and isinstance(name, Text):  # of a file that only stands there: said where it is used
                unknown = [problem for problem in self.report.problems[known:] if problem.code == "E110"]
                self.unmade[name.lower()] = unknown
                self.report.problems = [problem for problem in self.report.problems if problem not in unknown]
            if not isinstance(name, Text) or not name:
                self.report.error(section.at, "E007", f"the library {file} defines no function block", "`function_block: NAME`")
                continue
            check_definition(section, self.draft)
            before = self.draft.function_blocks.get(name.lower())
            if before is not None or name.upper() in self.draft.catalogue:
                where = (
                    f"the other is at {before[1].at.file}:{before[1].at.line}"
                    if before
                    else "the catalogue has one: `bessplc blocks`"
                )
                self.report.error(name.at, "E105", f"two function blocks are named `{name}`", "", where)
                continue
            self.draft.function_blocks[name.lower()] = (file, name, section)

    def defines_block(self, name: str) -> bool:
        try:
            text = self.files.read(name)
        except (OSError, UnicodeDecodeError):
            return False  # a program that cannot be read is reported where a task names it
        return text.startswith("function_block:") or "\nfunction_block:" in text

    def read_programs(self, site: Section) -> list[TaskDraft]:
        used: dict[str, Text] = {}
        tasks = []
        for task, names in read_tasks(site, self.report):
            for name in names:
                if self.is_second(name, used, "program"):
                    continue
                section = self.section(f"programs/{name}.yaml", name)
                if section is not None:
                    program: Program = declare_program(str(name), f"programs/{name}.yaml", section, self.draft)
                    task.programs.append(program)
            tasks.append(task)
        return tasks


__all__ = ["SiteError", "load_draft", "load_site", "load_text"]
