"""The stable codes of the problems that the office reports, one sentence each. It must not know how they are found."""

from __future__ import annotations

CODES: dict[str, str] = {
    # reading the text
    "E001": "The file is not YAML.",
    "E002": "A key stands twice in one section.",
    "E003": "YAML anchors, aliases, merge keys and tags are not part of the language.",
    "E004": "A file that is referred to does not exist or cannot be read.",
    "E005": "A section, a list or a single value stands where another of the three belongs.",
    "E006": "A word that the format does not know.",
    "E007": "A word that the format requires is missing.",
    "E008": "The file is empty, or holds more than one document.",
    "E009": "A comma or bracket ended an expression inside {} or []: it must be quoted there.",
    "E010": "A word has a value that it cannot take.",
    # names
    "E101": "No tag has this name.",
    "E102": "No block type has this name.",
    "E103": "The block has no such pin.",
    "E104": "No block, sequence or mode table has this name.",
    "E105": "Two things have one name, or names that differ only in case.",
    "E106": "A name is not written as names are.",
    "E107": "No function has this name.",
    "E108": "The sequence has no such step.",
    "E109": "No driver has this name.",
    # types, units and ranges
    "E201": "A unit of one kind meets a unit of another.",
    "E202": "A type meets another and would need a conversion that must be written.",
    "E203": "No unit is written so.",
    "E204": "A value is outside its range.",
    "E205": "Two lengths that must agree differ.",
    "E206": "A number is not finite.",
    "E207": "A duration is written without its unit.",
    "E208": "An index is outside its array.",
    # wiring
    "E301": "An input that must be wired is not.",
    "E302": "A tag has two writers.",
    "E303": "Blocks feed each other in a loop without `last`.",
    "E304": "A tag is written that a program may not write.",
    # expressions
    "E401": "An expression is not written as Structured Text writes it.",
    "E402": "A word of sequences is used outside a `goto`.",
    # modes, sequences, function blocks
    "E501": "A row of `modes` does not give what the other rows give.",
    "E502": "Function blocks contain each other.",
    # devices
    "E601": "An output has no `safe` value.",
    "E602": "An input does not say what it becomes when it is bad.",
    "E603": "A device with outputs does not say its own communication time-out.",
    "E604": "Neither the device nor the io_map says the type, or they say different things.",
    # tasks
    "E701": "An interval or phase is not a whole multiple of the base tick.",
    "E702": "A program or io_map is used twice.",
    # servers
    "E901": "No server or setting has this name, or its settings are not words with values.",
    "E902": "A server's setting has a value it cannot have.",
    "E903": "A certificate and its key go together.",
    "E904": "Nobody could connect to the server.",
    "E911": "A register is not written as a table and an address.",
    "E912": "A register has no such word.",
    "E913": "An address is beyond the last one.",
    "E914": "Quality and good belong to the whole tag.",
    "E915": "The tag does not fit this table or format.",
    "E916": "A word has a value that is none of its choices.",
    "E917": "A scale cannot be applied to this tag.",
    "E918": "A register that can be written belongs to a tag that nobody may write.",
    "E919": "Two entries of the map overlap.",
    # warnings
    "W801": "Nothing writes this output: it stays at its default.",
    "W802": "No program reads or writes this tag.",
    "W803": "No `goto` leads to this step.",
    "W804": "No task runs this program.",
    "W920": "A tag's range does not fit the register's format.",
}
