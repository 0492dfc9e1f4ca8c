"""What the HMI says, in English: one module a screen, and here what several of them say. A translation replaces these modules."""

LOG_IN = "Log in"
LOG_OUT = "Log out"
NAME = "Name"
PASSWORD = "Password"
LOOK_ONLY = "Look without logging in"
WRONG_LOGIN = "The name or the password is wrong."
LOCKED_OUT = "The name or the password is wrong, or too many were wrong before: wait a moment."
NEEDS_TLS = "Passwords are taken over TLS only."
VIEWER = "viewer"

SCREENS = {
    "overview": "Overview",
    "cells": "Cells",
    "power": "Power",
    "alarms": "Alarms",
    "trends": "Trends",
    "control": "Control",
    "program": "Program",
    "events": "Events",
}
MODE = "Mode"
STATE = "State"
NO_ALARM = "No alarm"
NIGHT_COLOURS = "Day, night or as this device is set"
MENU = "Screens"
NOT_FOUND = "There is no such screen."

YES, CANCEL, CLOSE = "Yes", "Cancel", "Close"
TAKEN = "Done: {what}"
REFUSED = "Not done: {what}: {why}"
LOGIN_NEEDED = "Log in first: this needs the role {role}."
ROLE_NEEDED = "This needs the role {role}; you are {mine}."
LOCAL_CONTROL = "refused: the site is in local control: command at the plant, or turn its key switch to remote"
NO_SUCH_TAG = "this program has no tag {name}"
TOO_MUCH = "refused: {most} values at once are the most"
NO_RECORDS = "This site keeps no records (servers: records:)."
RECORDS_UNREADABLE = "The records cannot be read now: {why}"

# what the script of the page says
BROWSER = {
    "lost": "No connection since {time}: nothing on this page is true now",
    "silent": "The PLC has said nothing since {time}: these are its last values",
    "safe": "The PLC is stopped: all outputs are safe",
    "inhibited": "Outputs are inhibited: nothing is written to the plant",
    "starting": "The PLC is starting",
    "gone": "Gone, not acknowledged: {text}",
    "unknown": "no such tag",
    "uncertain": "uncertain: last value that was known",
    "bad": "bad: not to be trusted",
    "forced": "forced",
    "wake": "Touch to wake",
}
