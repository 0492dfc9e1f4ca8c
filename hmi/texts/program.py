"""What the screen of the program says: its diagrams, tasks, devices and servers."""

TABS = {"diagram": "Diagram", "tasks": "Tasks", "devices": "Devices", "servers": "Servers"}
TABLIST = "What of the program"
NO_FILE = "The files of this site are not found below {root}: the diagrams are drawn from them."
DRAWER_FAILED = "The diagrams could not be drawn; the log of the process `hmi` says why."
TOO_LARGE = "The diagram of {program} is too large to be shown."
NOT_DRAWN = "This diagram is not drawn yet."
NO_PROGRAM = "No task runs a program of this name."

PROGRAM = "Program"
SEARCH = "Find an instance or a tag"
ZOOM_IN, ZOOM_OUT, FIT, WATCH = "Larger", "Smaller", "Show all", "Watch list"
CANVAS = "Diagram: arrow keys move it, + and − zoom, 0 shows all, / searches"

# what the script says
BROWSER = {
    "reading": "Reading the site's files…",
    "drawing": "Drawing: {n} of {all} programs",
    "failed": "The diagrams cannot be drawn",
    "differs": "The files were edited since: this is the program of the files, not the one that runs. No values are shown.",
    "again": "Draw again",
    "unreachable": "The diagram could not be fetched: {why}",
    "too_many": "More than {n} values are in view: zoom in to see them all",
    "none_found": "No instance and no tag is called so",
    "select": "Touch a pin, a wire or a tag",
    "trend": "Trend",
    "force": "Force",
    "watch": "Watch",
    "unwatch": "Stop watching",
    "where": "Where it is made",
    "watching": "Watch list",
    "nothing_watched": "Nothing is watched. Touch a pin or a tag, then Watch.",
    "full": "The watch list holds {n} values",
    "literal": "a constant of the program",
    "to": "to",
    "true": "true",
    "false": "false",
}

# tasks
NO_SCAN = "No scan runs: there are no figures."
TIMING = "Times, in µs since the last reset"
COLUMNS = {
    "count": "n",
    "last": "last",
    "least": "min",
    "mean": "mean",
    "p50": "p50",
    "p99": "p99",
    "p999": "p99.9",
    "greatest": "max",
}
WHAT, EVERY, PROGRAMS, SHARE = "what", "every", "programs", "max of its time"
STEPS = {
    "late": "late at start",
    "period error": "period error",
    "latch": "latch inputs",
    "command": "take commands",
    "run": "run tasks",
    "publish": "publish",
    "scan": "whole scan",
}
TASK = "task {name}"
SCAN_ROWS = (
    ("Scans", "plc.scan"),
    ("Overruns", "plc.overruns"),
    ("Overruns in a row", "plc.overruns_in_a_row"),
    ("Ticks missed", "plc.missed"),
    ("Inputs not good", "plc.bad_inputs"),
    ("Outputs not finite", "plc.not_finite"),
)
SCAN = "Scan"
TICK = "Tick"
LATENESS = "How late scans start"
DURATION = "How long scans last"
HISTOGRAM = "{what}: {count} scans; half within {p50}, 99 % within {p99}, the worst {max}"
SCANS_AXIS = "scans"
NOTHING_COUNTED = "Nothing counted since the last reset."
RESET = "Reset statistics"
RESET_ASK = "Reset the scan's statistics?"
RESET_TEXT = "Maxima, counters of overruns and histograms start afresh for everybody. It is noted in the audit log."
RESET_ROLE = "engineer"

# devices
NO_DEVICES = "This site has no devices."
DEVICE_HEADS = ("Device", "Address", "State", "Round trip", "Exchanges", "Errors", "Last good")
NEVER = "never"
AGO = "{time} ago"
SAID = "Last error: {text}"
SPARK = "round trip of the last 2 minutes"
FIELDBUS_SILENT = "The fieldbus process says nothing."
OUTPUTS = "Outputs"

# servers
SERVER_HEADS = ("Process", "Address", "Clients", "Counters", "Running since")
BEGUN_AGAIN = "started again"
SILENT = "silent for {time}"
SITE = "Site"
SITE_ROWS = {
    "version": "Version of bessplc",
    "digest": "Program",
    "since": "Running since",
    "uptime": "Up for",
    "scan": "Scan up for",
}
LOGINS = "Logged in here"
LOGIN_HEADS = ("User", "Role", "Since", "Last touch")
NO_LOGINS = "Nobody is logged in."
LOGINS_ROLE = "engineer"
PROCESSES = "Processes"
NO_PART = "The parts are {known}."
LIMIT = "tick"
