"""What the screen of racks and cells says."""

QUANTITIES = {"voltage": "Voltage", "temperature": "Temperature", "soc": "State of charge", "balancing": "Balancing"}
SHORT = {"voltage": "Voltage", "temperature": "Temp.", "soc": "SoC", "balancing": "Balancing"}
WHAT = "What the map shows"
RACK = "Rack"
ALL_RACKS = "All racks"
SCALE = "Scale"
FIXED, AUTO = "Limits", "Now"
FIXED_HINT = "Fixed scale: the window that protection allows"
AUTO_HINT = "Automatic scale: from the lowest to the highest value now"
MAP = "Map of all cells. Arrows choose a cell, Enter shows its rack alone, Escape goes back."
SUMMARY = "Lowest, highest and mean"
RACKS = "Racks"
CELL = "Cell"
CELL_HINT = "Touch a cell of the map, or one of the extremes below it."
DISTRIBUTION = "How the values are distributed over the scale"

NO_CELLS = "This site has no values of single cells."
NOT_SHOWN = "what={what}: there is {shown}"
TRIP = "trip"

COLUMNS = {"rack": "Rack", "low": "Low", "high": "High", "soc": "SoC %", "state": "State"}
CLOSED, OPEN, TRIPPED = "closed", "open", "tripped"

# of one cell, and of one rack: what is shown beside the map where the site has it; of a switch also when on and when off
CELL_ROWS = {
    "voltage": ("Voltage",),
    "temperature": ("Temperature",),
    "soc": ("State of charge",),
    "balancing": ("Balancing", "bleeding", "off"),
    "bled": ("Charge bled",),
}
RACK_ROWS = (
    ("Contactors", "racks.closed[{rack}]", CLOSED, OPEN),
    ("Tripped by", "racks.first_permit[{rack}]"),
    ("Management", "rack[{rack}].state"),
    ("Fault", "rack[{rack}].fault"),
    ("SoC", "rack[{rack}].soc"),
    ("SoH", "rack[{rack}].soh"),
    ("Voltage", "rack[{rack}].v_pack"),
    ("Current", "rack[{rack}].current"),
    ("Charge limit", "racks.p_min[{rack}]"),
    ("limited by", "racks.charge_by[{rack}]"),
    ("Discharge limit", "racks.p_max[{rack}]"),
    ("limited by", "racks.discharge_by[{rack}]"),
    ("Insulation", "rack[{rack}].insulation"),
    ("Cell empty first", "cells.weakest[{rack}]"),
)

# what the script of the screen says
BROWSER = {
    "rack": "Rack {rack}",
    "place": "Rack {rack}, module {module}, cell {cell}",
    "placeShort": "R{rack} M{module} C{cell}",
    "numberInRack": "no. {number} of its rack",
    "module": "M{module}",
    "lowest": "Lowest",
    "highest": "Highest",
    "mean": "Mean",
    "spread": "Spread",
    "beyond": "Beyond limits",
    "noneBeyond": "none",
    "bled": "Being bled",
    "ofCells": "{count} of {cells}",
    "left": "{count} left out",
    "columnLow": COLUMNS["low"],
    "columnHigh": COLUMNS["high"],
    "columnBled": "Bled",
    "unknown": "not known",
    "uncertain": "uncertain: last value that was known",
    "bad": "bad: not to be trusted",
    "forced": "forced",
    "on": "bleeding",
    "off": "not bleeding",
    "tripped": "tripped",
    "fromMean": "{difference} from its rack's mean",
    "trend": "Trend",
    "showRack": "Rack {rack} alone",
    "showAll": ALL_RACKS,
    "close": "Close",
    "silent": "no answer",
    "old": "These are the values of {time}: newer ones cannot be fetched ({why})",
    "summary": "{what}: lowest {low}, {lowPlace}; highest {high}, {highPlace}; mean {mean}; {beyond} beyond limits",
    "summaryNone": "{what}: no value is known",
    "selected": "{place}: {value}",
}
