"""What the screen of events says, and how the plant's log is told."""

NOT_TOLD = "–"

# the lines of the log that everybody may read: the kind, the only process that may say it ("" any), and how it is told
PLANT = {
    "scan state": ("state", "runtime", "Scan: {was} → {state}"),
    "running": ("state", "runtime", "The site is running"),
    "stopping": ("state", "runtime", "The site stops: {why}"),
    "stopped": ("state", "runtime", "The site has stopped; outputs {outputs}"),
    "died": ("state", "runtime", "The process {process} ended (code {code}); it is started again"),
    "killed": ("state", "runtime", "The process {process} was ended: it did not answer"),
    "outputs go to their safe values": ("state", "fieldbus", "Outputs go to their safe values: {reason}"),
    "outputs hold their safe values": ("state", "fieldbus", "Outputs hold their safe values: {reason}"),
    "outputs follow the scan": ("state", "fieldbus", "Outputs follow the scan"),
    "the scan is silent: alarms stay as they were last seen": ("state", "records", "The scan is silent: alarms stay as last seen"),
    "the scan is heard": ("state", "records", "The scan is heard again"),
    "mode": ("mode", "runtime", "{tag}: {was} → {now}"),
    "trip": ("trip", "runtime", "{interlock} fell: permit {permit}, because of {because}"),
    "interlock armed": ("trip", "runtime", "{interlock} is armed"),
    "incident recorded": ("trip", "recorder", "Recording made of the trip of {why}"),
    "alarm active": ("alarm", "records", "{alarm} active ({severity}): {text}"),
    "alarm cleared": ("alarm", "records", "{alarm} cleared ({severity}): {text}"),
    "alarm judged again: it is not active": ("alarm", "records", "{alarm} is judged again, and not active"),
    "alarm flood begins": ("alarm", "records", "Alarm flood begins: {alarms} alarms within {in_minutes} minutes"),
    "alarm flood ends": ("alarm", "records", "Alarm flood ends: {alarms} alarms in {lasted_s} s"),
    "more alarms than are logged": ("alarm", "records", "More alarms than are logged: {left_out}; the alarms' history has them"),
    "device state": ("device", "fieldbus", "{device}: {was} → {now}"),
    "load": ("load", "runtime", "Program load: {text}"),
    "undo": ("load", "runtime", "Back to the program before: {text}"),
    "overrun": ("timing", "runtime", "Scan late: {times}, ticks missed: {missed}; longest scan {scan_max_us} us"),
    "output not finite": ("timing", "runtime", "Outputs that were no number: {times}; their safe values were written"),
}

KINDS = {
    "": "All kinds",
    "state": "State",
    "mode": "Mode",
    "trip": "Trip",
    "alarm": "Alarm",
    "device": "Device",
    "load": "Program load",
    "timing": "Timing",
}
LEVELS = {"info": "info", "warning": "warning", "error": "error", "critical": "critical", "debug": "info"}

LOG_UNREADABLE = "The log cannot be read: {why}"
AUDIT_LEAST = "engineer"

PLANT_HEADS = ("time", "kind", "level", "what happened", "scan")
DEED_HEADS = (
    "time", "service", "user", "role", "from", "action", "subject", "element", "old", "new", "unit", "taken", "answer", "scan",
)  # fmt: skip
EVENT_HEADS = (
    "time", "number", "alarm", "became", "severity", "id", "source", "text", "value", "unit", "quality", "who", "note", "comment",
)  # fmt: skip

LABELS = {
    "title": "Events and audit",
    "tabs": "Lists",
    "plant": "Plant",
    "audit": "Who did what",
    "search": "Search",
    "search_plant": "Text, tag, device or alarm",
    "search_audit": "Subject, answer or value",
    "kind": "Kind",
    "kinds": KINDS,
    "action": "Action",
    "actions": {
        "": "All actions",
        "write": "Write",
        "force": "Force",
        "unforce": "End of a force",
        "acknowledge": "Acknowledge",
        "confirm": "Confirm",
        "shelve": "Shelve",
        "unshelve": "Unshelve",
        "login": "Login",
        "logout": "Logout",
        "load": "Program load",
        "undo": "Program undo",
        "fetch": "Fetch a recording",
        "read": "Read",
    },
    "user": "User",
    "answers": [["", "All answers"], ["true", "Refused only"]],
    "time": "Time",
    "level": "Level",
    "what": "What happened",
    "scan": "Scan",
    "who": "Who",
    "subject": "Subject",
    "change": "Old → new",
    "answer": "Answer",
    "through": "Through",
    "may_not": "Who did what may be read by engineers only. {why}",
}
