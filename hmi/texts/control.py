"""What the screen Control says, in English."""

TABS = {"": "State and mode", "setpoints": "Setpoints", "schedule": "Schedule", "test": "Test", "forces": "Forces"}
PARTS = "Parts of this screen"

# the line above every part
FORCES_HOLD = "{n} forced: values here are not the plant's own"
ONE_FORCE = "1 forced: a value here is not the plant's own"
SHOW_FORCES = "Show"
LOCAL = "The key switch stands on local: this panel commands; SCADA, OPC UA and the HTTP API may only read."
LOCKED = "The key switch stands on local: commands from here are refused. Turn it to remote, or command at the plant."
NOT_KNOWN_KEY = "Where the key switch stands is not known."

# state and mode
STATE, MODE = "State", "Mode"
STATE_COMMANDS, MODE_COMMANDS, MORE_COMMANDS = "Go to state", "Go to mode", "Other commands"
READY, NOT_READY = "Ready: all permits hold", "Not ready"
LAST_STATE, LAST_MODE = "Last start", "Last mode asked for"
POWER = "Power"
ACCEPTED = "not refused"
REFUSED = "refused: {why}"
SURE = "{what}?"
NOW_IS = "Now: state {state}, mode {mode}."
DO_IT = "Do it"
NOT_ANSWERED = "the program has not said whether it accepts this; look at the state"

COMMANDS = {
    "cmd.GoToState_Running": "Run",
    "cmd.GoToState_Idling": "Stop",
    "cmd.GoToState_Maintenance": "Maintenance",
    "cmd.Restart_Device": "Restart the controller",
    "cmd.Reboot_Device": "Reboot the system",
    "cmd.reset": "Reset faults",
    "cmd.GoToMode_Passive": "Passive",
    "cmd.GoToMode_SelfConsumption": "Self-consumption",
    "cmd.GoToMode_PeakShaving": "Peak shaving",
    "cmd.GoToMode_ExternalControl": "External control",
    "cmd.GoToMode_ChargeOnly": "Charge only",
    "cmd.GoToMode_GridForming": "Backup",
    "cmd.GoToMode_LocalControl": "Local control",
    "cmd.GoToMode_LoadMatching": "Load matching",
    "cmd.GoToMode_CostSaving": "Cost saving",
    "cmd.GoToMode_Test": "Test",
    "set.online_change": "Ask for a change",
    "set.backup_test": "Test the backup",
    "set.black_start": "Black start",
}
# what will happen, told before it does
EFFECTS = {
    "cmd.GoToState_Running": "The contactors close, one rack after the other; then power flows as the mode asks.",
    "cmd.GoToState_Idling": "Power goes to zero, then the contactors open.",
    "cmd.GoToState_Maintenance": "Power goes to zero; the contactors open and stay open, over a restart, too, until the next Stop.",
    "cmd.Restart_Device": "Power goes to zero, the contactors open, the controller starts anew, and runs again if it ran.",
    "cmd.Reboot_Device": "Power goes to zero, the contactors open, and the whole system starts anew: this page is gone meanwhile.",
    "cmd.reset": "What is latched is let go where its cause is gone. Nothing starts by itself.",
    "cmd.GoToMode_Passive": "The battery does nothing; values are still measured.",
    "cmd.GoToMode_SelfConsumption": "The battery holds the power at the grid connection at its target.",
    "cmd.GoToMode_PeakShaving": "The battery keeps the grid connection within its import and export limits.",
    "cmd.GoToMode_ExternalControl": "The power follows the energy management, or the schedule where that is on.",
    "cmd.GoToMode_ChargeOnly": "The battery is charged to its target in the hours that are set, and is not discharged.",
    "cmd.GoToMode_GridForming": "The battery is kept full, and carries the site without the grid.",
    "cmd.GoToMode_LocalControl": "The power follows the local controller's setpoints.",
    "cmd.GoToMode_LoadMatching": "The battery carries the load above its base.",
    "cmd.GoToMode_CostSaving": "The battery is charged in cheap hours and discharged in dear ones.",
    "cmd.GoToMode_Test": "Power follows the test setpoint alone (part Test).",
    "set.online_change": "The program answers whether programs or firmware may be changed now.",
    "set.backup_test": "The breaker opens, and the battery carries the load alone for a minute.",
    "set.black_start": "The battery forms an island without the grid: lines that are dead become live.",
}
STATES_OF = {  # which states of the machine mean that a command has its way
    "cmd.GoToState_Running": ("Connecting", "Run"),
    "cmd.GoToState_Idling": ("Idle", "Sleep", "Waking", "Stopping"),
    "cmd.GoToState_Maintenance": ("Maintenance",),
    "cmd.Restart_Device": ("Restart",),
    "cmd.Reboot_Device": ("Reboot",),
}
MODES_OF = {
    "cmd.GoToMode_Passive": "PASSIVE",
    "cmd.GoToMode_SelfConsumption": "SELF_CONSUMPTION",
    "cmd.GoToMode_PeakShaving": "PEAK_SHAVING",
    "cmd.GoToMode_ExternalControl": "EXTERNAL",
    "cmd.GoToMode_ChargeOnly": "CHARGE_ONLY",
    "cmd.GoToMode_GridForming": "BACKUP",
    "cmd.GoToMode_LocalControl": "LOCAL",
    "cmd.GoToMode_LoadMatching": "LOAD_MATCHING",
    "cmd.GoToMode_CostSaving": "COST_SAVING",
    "cmd.GoToMode_Test": "TEST",
}
# the program's own words for why not, said so that somebody knows what to do
WHY_STATE = {
    "NOTHING": "",
    "STOP_BUTTON": "the STOP button on the panel is pressed",
    "ERROR": "the site is in state Error: look at the alarms, then reset",
    "MAINTENANCE": "the site is in maintenance: stop that first",
    "RESTARTING": "the site is about to restart",
    "NOT_COMMISSIONED": "the plant is not commissioned: before that it runs in mode test only (Setpoints, Plant)",
    "NOT_READY": "the site is not ready: a permit is missing",
}
WHY_MODE = {
    "NOTHING": "",
    "NOT_COMMISSIONED": "the plant is not commissioned: before that only passive and test",
    "TEST_NOT_ALLOWED": "mode test is not allowed while the plant is commissioned and reserves are sold",
    "ISLAND": "the plant feeds an island: this mode would leave the loads in the dark",
}
PERMITS = {
    "NONE": "",
    "PANEL_LOST": "the operator panel does not answer",
    "ESTOP": "the emergency stop is pressed",
    "TAMPER": "a door or cover is open",
    "SMOKE": "smoke",
    "NO_CONVERTER": "no converter is there",
    "CONTROL_STANDS": "a task of the controller stands still",
    "CRITICAL_ALARM": "a critical alarm stands",
}

# setpoints
GROUPS = {
    "energy": "Energy management",
    "mode": "Modes",
    "limits": "Limits",
    "reactive": "Reactive power",
    "services": "Grid services",
    "plant": "Plant",
    "climate": "Climate",
    "more": "More",
}
SETPOINT, ACTUAL, REQUESTED, RANGE = "Setpoint", "Actual", "Set", "Range"
LABELS = {
    "set.charge_from": "Mode charge only: begin of its hours",
    "set.charge_until": "Mode charge only: end of its hours",
}
TRUTHS = {"set.rack_out": ("out of service", "in service"), "set.cells_replaced": ("replaced", "not replaced")}
TOUCH_TO_CHANGE = "Touch a row to change it."
ELSEWHERE = "The schedule and prices, and the test setpoint, have parts of their own."
NO_SETPOINTS = "This program has no setpoints."
NO_SCHEDULE = "This program has no schedule."
NEEDS_ROLE = "needs {role}"
ELEMENT = "{label} {n}"

# schedule
SCHEDULE_ON, SCHEDULE_OFF = "Follow the schedule", "Schedule off"
FOLLOWED = "The schedule decides the power now."
IS_OFF = "The schedule is off: it decides nothing."
OTHER_MODE = "The schedule is on, and decides nothing in this mode: it does in mode external."
TODAY, ENTRIES, PRICES = "Today", "Entries", "Prices a kWh, by the hour"
PRICES_FOR = "Used in mode cost saving. Touch an hour to change it."
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVERY_DAY, WEEKDAYS, WEEKEND = "every day", "Mo–Fr", "Sa, Su"
NOBODYS_DAY = "no day"
ENTRY = "Entry {n}"
NEW_ENTRY = "Add an entry"
NO_ENTRIES = "No entries: the schedule asks for 0 kW all day."
ALL_ENTRIES_USED = "All {n} entries are in use: change or delete one."
FROM, UNTIL, NEXT_DAY = "From", "Until", "next day"
ACTIVE_POWER, REACTIVE_POWER = "Power (discharge is positive)", "Reactive power"
KIND, ON_DAYS, ON_DATE, DATE = "Repeats", "every week", "on one date", "Date"
SAVE, DELETE = "Save", "Delete"
DELETE_SURE = "Delete entry {n}?"
SAVED = "entry {n}"
DELETED = "delete entry {n}"
NO_DAY = "Choose a day, or a date."
NO_LENGTH = "The end must be after the begin, at most 24 h later."
BAD_TIME = "A time is written 18:00."
BAD_DATE = "This is not a date."
BAD_POWER = "Type the power as a number within its range."
DAY_PICTURE = "Power of the schedule over today, in kW"
HOLDS_NOW = "holds now"
BESIDE = "wrong: it holds never"
PRICE = "Price from {start}:00 to {end}:00"

# test
CONDITIONS = "Before a test"
TEST_ALLOWED, RUNS = "Test allowed", "Racks connected"
TEST_MODE_NOW = "Mode test"
YES, NO = "yes", "no"
TAKE, END = "Take the test setpoint", "End the test: 0 kW"
TEST_POWER = "Test setpoint"
STEP = "Step"
UP, DOWN, ZERO = "One step up", "One step down", "Set to 0"
TYPE = "Type a value"
KEYS_ON = "Keyboard on: ↑ ↓ one step, Page ↑ ↓ ten steps, 0 zero, Esc ends the test"
KEYS_OFF = "Touch this field to drive the setpoint by keyboard"
FREE = "Not taken: the setpoint cannot be changed."
HELD = "You hold the setpoint. Leaving this part, a lost connection of {patience} s, a logout or another mode sets it to 0 kW."
PROGRAM_HOLDS = (
    "The program itself keeps a test setpoint until the mode changes, and knows nothing of this page: this server sets it to 0, "
    "also when it has died and was started again. Until then the STOP button ends it."
)
HELD_BY_OTHER = "{user} holds the test setpoint at {peer}."
NOT_NOTED = "refused: that you hold the setpoint cannot be noted: {why}"
MUST_BE_TEST = "Mode test must be chosen first."
ENDED = "The test has ended: {why}. The test setpoint is 0 kW."
NOT_ENDED = "The test setpoint could not be set to 0: {why}"
WHY_ENDED = {
    "asked": "you ended it",
    "left": "this part was left",
    "silent": "the page was silent for {patience} s",
    "mode": "another mode was chosen",
    "role": "the login has ended",
    "closing": "the server ends",
}
BY_HAND, RACKS, MORE_TESTS = "Climate by hand", "Racks and cells", "Tests of the plant"
LIMITS_NOW = "Racks take {low} and give {high} now"
REQUEST_MARK, ACTUAL_MARK = "set", "actual"
SCALE = "Test setpoint and actual power between the limits"

# forces
WHAT_HOLDS = "What is forced"
NOTHING_HOLDS = "Nothing is forced."
FIND = "Force a tag"
FIND_BY = "Part of a name or text"
FOUND = "{shown} of {all} tags"
NONE_FOUND = "No tag has this in its name or text."
TAG, VALUE, BY, WHY, SINCE, ENDS, LIFT = "Tag", "Value", "By", "Why", "Since", "Ends", "Lift"
LIFT_ALL = "Lift all"
LIFT_SURE = "Lift the force on {name}?"
LIFT_ALL_SURE = "Lift all forces?"
LIFT_ALL_TEXT = "{names}: the plant's own values hold again at once."
LIFT_TEXT = "The plant's own value holds again at once."
UNTIL_LIFTED = "until it is lifted"
NOBODY_KNOWN = "not known"
REASON = "Why (it stands in the list and in the audit log)"
HOW_LONG = "How long"
DURATIONS = {60: "1 min", 300: "5 min", 900: "15 min", 3600: "1 h", 28800: "8 h", 0: UNTIL_LIFTED}
FORCE_IT = "Force"
FORCE_TITLE = "Force {name} to {value}"
FORCE_TEXT = "The plant and the programs then work with this value, whatever is measured or computed. Protection, too."
FORCING = "force {name} to {value}"
LIFTING = "lift the force on {name}"
LIFTING_ALL = "lift all forces"
SAY_WHY = "Say why."
OF_RUNTIME = "Only the runtime writes this tag: it cannot be forced."
