"""How OPC UA names a unit: the UNECE code packed into a number (OPC UA part 8, 5.6.3; UNECE recommendation 20)."""

from __future__ import annotations

from asyncua import ua

NAMESPACE = "http://www.opcfoundation.org/UA/units/un/cefact"
UNECE = {
    "V": ("VLT", "volt"),
    "mV": ("2Z", "millivolt"),
    "kV": ("KVT", "kilovolt"),
    "A": ("AMP", "ampere"),
    "mA": ("4K", "milliampere"),
    "kA": ("B22", "kiloampere"),
    "W": ("WTT", "watt"),
    "kW": ("KWT", "kilowatt"),
    "MW": ("MAW", "megawatt"),
    "VA": ("D46", "volt-ampere"),
    "kVA": ("KVA", "kilovolt-ampere"),
    "MVA": ("MVA", "megavolt-ampere"),
    "var": ("D44", "var"),
    "kvar": ("KVR", "kilovar"),
    "Mvar": ("MAR", "megavar"),
    "Wh": ("WHR", "watt hour"),
    "kWh": ("KWH", "kilowatt hour"),
    "MWh": ("MWH", "megawatt hour"),
    "J": ("JOU", "joule"),
    "kJ": ("KJO", "kilojoule"),
    "Hz": ("HTZ", "hertz"),
    "kHz": ("KHZ", "kilohertz"),
    "s": ("SEC", "second"),
    "ms": ("C26", "millisecond"),
    "us": ("B98", "microsecond"),
    "ns": ("C47", "nanosecond"),
    "min": ("MIN", "minute"),
    "h": ("HUR", "hour"),
    "d": ("DAY", "day"),
    "K": ("KEL", "kelvin"),
    "°C": ("CEL", "degree Celsius"),
    "%": ("P1", "percent"),
    "Ah": ("AMH", "ampere hour"),
    "Ohm": ("OHM", "ohm"),
    "Ω": ("OHM", "ohm"),
    "mOhm": ("E45", "milliohm"),
    "kOhm": ("B49", "kiloohm"),
    "MOhm": ("B75", "megaohm"),
    "F": ("FAR", "farad"),
    "H": ("81", "henry"),
    "S": ("SIE", "siemens"),
    "N": ("NEW", "newton"),
    "Nm": ("NU", "newton metre"),
    "m": ("MTR", "metre"),
    "mm": ("MMT", "millimetre"),
    "cm": ("CMT", "centimetre"),
    "m2": ("MTK", "square metre"),
    "m3": ("MTQ", "cubic metre"),
    "l": ("LTR", "litre"),
    "l/min": ("L2", "litre per minute"),
    "m/s": ("MTS", "metre per second"),
    "kg": ("KGM", "kilogram"),
    "g": ("GRM", "gram"),
    "t": ("TNE", "tonne"),
    "Pa": ("PAL", "pascal"),
    "kPa": ("KPA", "kilopascal"),
    "bar": ("BAR", "bar"),
    "mbar": ("MBR", "millibar"),
    "rpm": ("RPM", "revolutions per minute"),
    "rad": ("C81", "radian"),
    "deg": ("DD", "degree"),
    "mrad": ("C25", "milliradian"),
    "uV": ("D82", "microvolt"),
    "mAh": ("E09", "milliampere hour"),
    "kVAh": ("C79", "kilovolt-ampere hour"),
    "GJ": ("GV", "gigajoule"),
    "GWh": ("GWH", "gigawatt hour"),
    "MHz": ("MHZ", "megahertz"),
    "mPa": ("74", "millipascal"),
    "MPa": ("MPA", "megapascal"),
    "ppm": ("59", "part per million"),
    "µs": ("B98", "microsecond"),
    "mΩ": ("E45", "milliohm"),
    "kΩ": ("B49", "kiloohm"),
    "MΩ": ("B75", "megaohm"),
    "degC": ("CEL", "degree Celsius"),
}


def unit_id(code: str) -> int:
    """The three letters of a UNECE code as one number: `KWT` is 4937556."""
    return int.from_bytes(code.encode("ascii"), "big")


def engineering_unit(unit: str) -> ua.EUInformation:
    """The unit as clients show it; UnitId -1 where UNECE has no code for it (part 8, 5.6.3.3)."""
    code, description = UNECE.get(unit, ("", unit))
    return ua.EUInformation(
        NamespaceUri=NAMESPACE if code else "urn:bessplc:units",
        UnitId=unit_id(code) if code else -1,
        DisplayName=ua.LocalizedText(unit),
        Description=ua.LocalizedText(description),
    )
