"""What the overview says."""

TITLE = "Single-line diagram"
GRID = "Grid"
BREAKER_CLOSED, BREAKER_OPEN = "breaker closed", "breaker open"
FROM_GRID, TO_GRID = "from the grid", "to the grid"
POINT = "Point of connection"
LOADS = "Loads"
NET_LOADS = "Loads less PV"
CONSUMES, GIVES_BACK = "consumed", "surplus"
SOLAR = "Photovoltaics"
CONVERTER = "PCS {number}"
CONVERTERS = "{count} converters"
RACK = "Rack {number}"
DISCHARGES, CHARGES = "discharging", "charging"
CLOSED, OPEN = "closed", "open"
IN_USE, NOT_IN_USE = "in use", "not in use"
TRIPPED, TRIPPED_ONLY = "Tripped:", "Tripped"
CELLS_OF = "Cells of rack {number}"
POWER_OF = "Power at converter {number}"
POWER_OF_ALL = "Power of all converters"
TREND_OF = "Trend of {what}"
VOLTAGE, CURRENT, HOTTEST = "String", "Current", "Hottest"
RACKS_IN_USE = "racks in use"
LEGEND_CLOSED, LEGEND_OPEN, LEGEND_FAULT = "closed", "open", "tripped or converter fault"

LIMIT = "What decides the power"
SOC, SOC_RACKS = "State of charge", "racks {low} to {high}"
POWER = "Power"
RANGE = "{low} to {high}"
TO = "to"
POSSIBLE = "Range"
RATED = "{label} <small>±{rating:g} {unit}</small>"
REACTIVE = "Reactive"
FREQUENCY = "Frequency"
CELL_VOLTAGE = "Highest cell"
CELL_TEMPERATURE = "Hottest cell"
LOWEST, COLDEST = "lowest", "coldest"
OF_RACK = "rack"
LAST_HOUR = "last hour"
NO_HISTORY = "no record"

# What decides the power, by the names of site.p_reason; {tag} becomes what the tag shows, {battery} what limits which rack.
REASONS = {
    "REQUEST": "Not limited: the request of {site.p_request} flows",
    "STOP": "Stopped by protection: the site is not ready",
    "NOT_CONNECTED": "No power: the racks are not connected (state {state.machine})",
    "ISLAND": "Island: the loads decide the power",
    "NO_LIVE_DATA": "No power: the meter gives no live data",
    "ENTER_SERVICE": "Limited by entering service at the grid, {grid.share} of the power",
    "BATTERY": "Limited by {battery}",
    "PROTECTION": "Limited by protection to {site.limit} of the converters' power",
    "GRID_VOLTAGE": "Limited by high grid voltage to {grid.p_volt_watt}",
    "IMPORT_LIMIT": "Limited by the import limit, {set.import_limit} from the grid",
    "EXPORT_LIMIT": "Limited by the export limit, {set.export_limit} to the grid",
    "BACKUP_RESERVE": "Limited by the reserve for a backup, {set.reserve}",
    "CONVERTERS": "Limited by the rating of the converters in use ({racks.count})",
    "SERVICES": "Limited by what is kept for the grid services",
    "RAMP": "On the ramp to the request of {site.p_request}",
}
NOTHING_ASKED = "Not limited: no power is asked for"
UNKNOWN_REASON = "Limited by {name}"
REASON_UNKNOWN = "What decides the power is not known"

# what limits a rack, by the names of racks.charge_by and racks.discharge_by
RACK_REASONS = {
    "CELLS": "its cells",
    "BMS": "the battery management",
    "PLATING": "lithium plating (cold cells)",
    "STEP_CHARGE": "the charging rate at this state of charge",
    "TEMPERATURE_OF_RACK": "a rack temperature far from the others",
    "NOT_AVAILABLE": "a rack that is not in use",
    "PROTECTION": "protection",
}
# what of its cells, by the numbers of the limiters' ACTIVE
CELL_REASONS = {
    "1": "cell voltage",
    "2": "cold cells",
    "3": "hot cells",
    "4": "state of charge",
    "6": "the return after a limit",
    "7": "a reading that is no number",
    "8": "pack current",
    "9": "state of health",
    "13": "a dead cell",
}
ONE_RACK, SEVERAL_RACKS, AND_MORE = "{why}, rack {racks}", "{why}, racks {racks}", "{racks} and {count} more"
RATED_RACKS = "the rated power of the racks in use"

# why the site is not ready, by the names of site.first_permit
PERMITS = {
    "NONE": "a RESET is needed",
    "PANEL_LOST": "the operator panel did not answer",
    "ESTOP": "the emergency stop was pressed, or its chain is cut",
    "TAMPER": "a door or cover was open",
    "SMOKE": "smoke, or its detector's wire is cut",
    "NO_CONVERTER": "no converter answered",
    "CONTROL_STANDS": "the program that drives the converters stood still",
    "CRITICAL_ALARM": "a critical alarm stood",
}
NOT_READY = "Not ready: {site.first_permit}"
LEFT_GRID = "Left the grid: {grid.cause}"
MAINTENANCE = "Maintenance: somebody works on the plant"
ASLEEP = "The battery managements sleep"
ON_ISLAND = "The plant feeds an island"
