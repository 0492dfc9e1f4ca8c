"""What the screen of the power says."""

POINT = "Point of connection"
DEVIATION = "From {nominal:g} V"
OF_A_PHASE = {"v": "Voltage", "i": "Current", "p": "Power", "q": "Reactive"}
MEAN, UNBALANCE = "Mean", "Imbalance"
FREQUENCY, ROCOF = "Frequency", "Its change"
POWER, REACTIVE = "Power", "Reactive"
EXPORT, IMPORT = "out", "in"
APPARENT, FACTOR = "Apparent", "Power factor"
ENERGY_IN, ENERGY_OUT = "Energy in", "Energy out"
BEYOND = "Grid side"
BREAKER, CLOSED, OPEN = "Breaker", "closed", "open"
GRID_STATE, GRID_GOOD, GRID_BAD = "Public grid", "good", "outside its limits"
SERVICE, IN_SERVICE, NOT_IN_SERVICE = "Plant", "in service", "not in service"
TRIP, TRIPPED, NOT_TRIPPED = "Grid trip", "tripped", "none"
CAUSE = "Cause"
SHARE = "Entered"
SUPPORT = "For frequency"
NO_METER = "This site shows no meter."
TREND_OF, NO_HISTORY = "Trend of {what}, last hour", "no record"

CONVERTERS = "Converters"
CONVERTER, CONVERTER_SHORT = "PCS {number}", "PCS"
PAGE = "{first}–{last}"
PAGES = "Which converters"
WITH_FAULT = "Not well:"
NO_CONVERTER = "This site shows no converter."
RUNNING, STOPPED = "running", "stopped"
ENABLED, DISABLED = "enabled", "not enabled"
ROWS = {
    "state": "State",
    "fault": "Fault",
    "running": "Switching",
    "enable": "Told to run",
    "device": "Connection",
    "p": "Power",
    "p_cmd": "Set point",
    "q": "Reactive",
    "q_cmd": "Set point",
    "v_ac": "AC voltage",
    "i_ac": "AC current",
    "f_ac": "Frequency",
    "v_dc": "DC voltage",
    "i_dc": "DC current",
    "temperature": "Heat sink",
}
