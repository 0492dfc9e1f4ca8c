"""What is said where a value is entered and confirmed."""

NOW = "Now"
RANGE = "Range"
NO_RANGE = "No range is set"
FROM_TO = "{low} … {high}{unit}"
AT_LEAST = "at least {low}{unit}"
AT_MOST = "at most {high}{unit}"
NEXT = "Next"
BACK, CLEAR, SIGN = "Delete the last digit", "Clear", "Change the sign"
VALUE = "New value"
WRITE = "Write"
CHANGE = "{old}  →  {new}"
UNCHANGED = "Nothing to do: {what} is {value} already"
WHICH = "Which one?"
ON, OFF = "on", "off"
UNKNOWN = "not known"
HOUR, MINUTE = "Hour", "Minute"
NOBODY_WRITES = "Nobody may write {name}."

# what the pad says while somebody types, also in the browser
PAD = {
    "empty": "Type a value",
    "number": "This is not a number",
    "whole": "A whole number is needed",
    "low": "Too low: the lowest is {low}{unit}",
    "high": "Too high: the highest is {high}{unit}",
    "long": "Too many digits",
}
