"""What the trends and the trace say."""

NAMES_NEEDED = "tags: name 1 to {most} tags, with commas between them"
NAME_TOO_LONG = "tags: a name has {most} letters at most"
NUMBER_NEEDED = "{word}: a whole number from {least} to {most} is needed"
END_BEFORE_START = "end: it must be after start"
SPAN_TOO_LONG = "end: {most} days are the most that is read at once"
TOO_SLOW = "The records are slow: nothing was read within {seconds:g} s. Ask for less time or fewer tags."

NOTHING_RUNS = "no trace runs"
NO_CHANNELS = "choose the tags to trace first"
TOO_MANY_CHANNELS = "{most} channels are the most that are traced at once"
NO_TRIGGER = "choose one of the channels to wait for, and how it must cross the level"
TRACE_NUMBER = "{word}: a number from {least:g} to {most:g} is needed"
OF_A_TRACE = {
    "seconds": "the length (s)",
    "share": "the share before the trigger",
    "level": "the level",
    "hysteresis": "the hysteresis",
}
NO_SUCH_CHANNEL = "this program has no tag or pin {name}"
NAME_AN_ELEMENT = "{name} is an array: name one element, as {example}"
BUSY = "{who} is tracing; a site has one trace at a time"
BUSY_ELSEWHERE = "another process of this site is tracing; a site has one trace at a time"
NO_SCAN_TO_TRACE = "no scan can be traced now: {why}"
SCAN_SILENT = "the scan gives no samples any more"
NOBODY_LOOKS = "nobody has looked for 10 s"
OTHER_PROGRAM = "another program was loaded"
REPLACED = "another trace was started"
CAUGHT = "caught"
STOPPED_BY = "stopped by {who}"
SCOPE_NUMBERS = "seen, since: whole numbers are needed"

TRENDS, TRACE = "Trends", "Trace"
VIEWS = "Trends or trace"
SPANS = (("1 min", 60), ("10 min", 600), ("1 h", 3600), ("8 h", 28_800), ("1 d", 86_400), ("7 d", 604_800))
SPAN = "How much time"
LIVE, LIVE_HINT = "Live", "Follow what comes (Home)"
CURSORS, CURSORS_HINT = "Cursors", "Two cursors: the values there and their differences"
RANGE, RANGE_HINT = "Tag range", "Scale by the range of the tags, not by what is seen"
CSV, PNG = "CSV", "PNG"
CSV_HINT, PNG_HINT = "Save what is shown as CSV", "Save what is shown as a picture"
ADD, ADD_HINT = "Add a tag", "name or text"
PRESET = "Choose a set…"
LEGEND = "Tags that are shown"
NONE_YET = "No tag is chosen: search for one above, or choose a set."
PRESETS = {"power": "Power", "cells": "Cells", "grid": "Grid", "temperatures": "Temperatures"}

# what the script of the trends says
BROWSER = {
    "chart": "Trend of the chosen tags. Arrow keys move in time, plus and minus zoom, Home follows what comes.",
    "cursor": "Cursor {name}",
    "empty": "Nothing was recorded in this time",
    "remove": "Remove {name}",
    "full": "8 tags are the most that are shown at once.",
    "switch": ["off", "on"],
    "marks": "{count} alarms began",
    "reading": "reading the records…",
    "failed": "The server does not answer",
    "unknown": "no such tag",
    "noRange": "These tags have no range: {names}",
    "liveOnly": "not recorded: live only",
    "between": "A {a} · B {b} · B−A {span}",
    "grades": ["good", "uncertain", "bad", "forced", "unknown"],
    "none": "Nothing has this in its name or text",
    "pin": "pin of a block",
}

START_TRACE, STOP_TRACE = "Start the trace", "Stop the trace"
RUN, RUN_HINT = "Run", "Show each time the trigger comes, or all that comes"
SINGLE, SINGLE_HINT = "Single", "Show the next time the trigger comes, then stop"
STOP, STOP_HINT = "Stop", "End the trace; what it caught stays"
CHANNELS = "Channels of the trace"
NO_CHANNEL_YET = "No channel is chosen: search for tags or pins above, 8 at most, then Run or Single."
LENGTH, LENGTHS = "Length", (0.5, 1, 2, 5, 10, 30, 60)
TRIGGER, NO_TRIGGER_YET = "Trigger", "none: at once"
EDGE, EDGES = "Edge", {"rise": "rising", "fall": "falling", "either": "either"}
LEVEL, HYSTERESIS = "Level", "Hysteresis"
BEFORE, SHARES = "Before the trigger", (0, 10, 20, 50, 80, 90)

# what the script of the trace says besides
SCOPE = {
    "chart": "Trace of the chosen channels at every scan. Arrow keys move in time, plus and minus zoom, Home shows all of it.",
    "empty": "Nothing is caught yet",
    "idle": "No trace runs",
    "waiting": "waiting for the trigger",
    "filling": "triggered",
    "running": "running",
    "ended": "ended: {why}",
    "by": "by {who} since {time}",
    "every": "every {every}. scan",
    "eachScan": "every scan, {tick} ms",
    "windows": "{count} caught",
    "lost": "{count} samples lost",
    "missing": "{count} samples are missing",
    "at": "trigger at {time}",
    "from": "from {time}",
    "between": "A {a} s · B {b} s · B−A {span} ms{rate}",
    "full": "8 channels are the most.",
    "none_to_start": "Choose a channel first.",
    "wrong": "Level and hysteresis must be numbers.",
    "unseen": "The trace cannot be read ({why})",
}
