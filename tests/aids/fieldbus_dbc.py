"""A synthetic DBC with every kind of signal that the CAN driver must carry: both byte orders, signs, floats, multiplexing, FD."""

import random
from collections.abc import Iterator
from pathlib import Path

# One line for each fact, as DBC editors write them.
SYNTHETIC = """VERSION ""

NS_ :

BS_:

BU_: PLC RACK

BO_ 16 Intel: 8 RACK
 SG_ A : 0|1@1+ (1,0) [0|1] "" PLC
 SG_ B : 1|7@1+ (1,0) [0|127] "" PLC
 SG_ C : 8|12@1- (0.1,-40) [-200|200] "degC" PLC
 SG_ D : 20|20@1+ (0.01,0) [0|10485] "V" PLC
 SG_ E : 40|24@1- (2,1) [0|0] "A" PLC

BO_ 17 Motorola: 8 RACK
 SG_ A : 7|4@0+ (1,0) [0|15] "" PLC
 SG_ B : 3|12@0- (0.5,0) [-1024|1023] "kW" PLC
 SG_ C : 23|3@0+ (1,0) [0|7] "" PLC
 SG_ D : 20|21@0- (0.001,5) [0|0] "A" PLC
 SG_ E : 62|7@0+ (1,0) [0|127] "%" PLC

BO_ 18 Wide: 8 RACK
 SG_ All : 0|64@1+ (1,0) [0|0] "" PLC

BO_ 19 WideMotorola: 8 RACK
 SG_ All : 7|64@0- (1,0) [0|0] "" PLC

BO_ 20 Odd: 8 RACK
 SG_ Low : 0|3@1+ (1,0) [0|7] "" PLC
 SG_ Long : 3|61@1- (1,0) [0|0] "" PLC

BO_ 21 Floats: 8 RACK
 SG_ Intel : 0|32@1- (1,0) [0|0] "V" PLC
 SG_ Motorola : 39|32@0- (2,0.5) [0|0] "A" PLC

BO_ 22 Double: 8 RACK
 SG_ Value : 0|64@1- (1,0) [0|0] "Hz" PLC

BO_ 23 Muxed: 8 RACK
 SG_ Selector M : 0|4@1+ (1,0) [0|15] "" PLC
 SG_ Always : 4|4@1+ (1,0) [0|15] "" PLC
 SG_ Zero m0 : 8|16@1- (0.1,0) [0|0] "V" PLC
 SG_ One m1 : 8|32@1+ (1,0) [0|0] "A" PLC
 SG_ Two m2 : 15|16@0+ (1,0) [0|0] "W" PLC

BO_ 24 Nested: 8 RACK
 SG_ Outer M : 0|4@1+ (1,0) [0|15] "" PLC
 SG_ Inner m1M : 4|4@1+ (1,0) [0|15] "" PLC
 SG_ Deep m2 : 8|16@1+ (1,0) [0|0] "V" PLC
 SG_ Flat m3 : 8|16@1+ (1,0) [0|0] "A" PLC

BO_ 2147484160 Extended: 4 RACK
 SG_ Counter : 0|32@1+ (1,0) [0|0] "" PLC

BO_ 25 Named: 2 RACK
 SG_ State : 0|4@1+ (1,0) [0|15] "" PLC
 SG_ Temperature : 8|8@1- (1,0) [-50|100] "degC" PLC

BO_ 26 Flexible: 64 RACK
 SG_ First : 0|8@1+ (1,0) [0|0] "" PLC
 SG_ Far : 500|12@1- (0.5,0) [0|0] "V" PLC
 SG_ FarMotorola : 391|24@0- (0.01,0) [0|0] "A" PLC
 SG_ Crossing : 253|64@1+ (1,0) [0|0] "" PLC

BO_ 27 Halves: 8 RACK
 SG_ Intel : 0|16@1- (1,0) [0|0] "V" PLC
 SG_ Motorola : 23|16@0- (0.5,1) [0|0] "A" PLC
 SG_ Odd : 35|16@1- (1,0) [0|0] "Hz" PLC

BO_ 28 Deeper: 8 RACK
 SG_ Outer M : 0|2@1+ (1,0) [0|3] "" PLC
 SG_ Middle m1M : 2|2@1+ (1,0) [0|3] "" PLC
 SG_ Inner m2M : 4|4@1+ (1,0) [0|15] "" PLC
 SG_ Leaf m7 : 8|16@1- (0.1,0) [0|0] "V" PLC
 SG_ Branch m9 : 15|24@0+ (1,0) [0|0] "W" PLC
 SG_ Side m3 : 32|16@1+ (1,0) [0|0] "A" PLC

BO_ 29 Protected: 8 RACK
 SG_ CRC : 0|8@1+ (1,0) [0|255] "" PLC
 SG_ Alive : 8|4@1+ (1,0) [0|15] "" PLC
 SG_ Flags : 12|4@1+ (1,0) [0|15] "" PLC
 SG_ Value : 16|16@1- (0.1,0) [-1000|1000] "A" PLC
 SG_ Level : 39|12@0+ (0.1,0) [0|100] "%" PLC
 SG_ Nibble : 40|4@1+ (1,0) [0|15] "" PLC
 SG_ Wide : 48|16@1+ (1,0) [0|65535] "" PLC

BO_ 30 Words: 4 RACK
 SG_ Contact : 0|2@1+ (1,0) [0|3] "" PLC
 SG_ Reading : 2|2@1+ (1,0) [0|3] "" PLC
 SG_ Flag : 4|1@1+ (1,0) [0|1] "" PLC
 SG_ Pressure : 8|8@1+ (1,0) [0|100] "bar" PLC
 SG_ Signed : 16|8@1- (1,0) [0|0] "A" PLC

BO_ 2147483682 SlowExtended: 2 RACK
 SG_ Word : 7|16@0+ (1,0) [0|65535] "" PLC

BO_ 32 Command: 8 PLC
 SG_ Close : 0|1@1+ (1,0) [0|1] "" RACK
 SG_ Mode : 1|3@1+ (1,0) [0|4] "" RACK
 SG_ Alive : 4|4@1+ (1,0) [0|15] "" RACK
 SG_ Power : 15|16@0- (0.1,0) [-500|500] "kW" RACK
 SG_ Limit : 24|32@1- (1,0) [0|0] "A" RACK
 SG_ Spare : 56|8@1+ (1,0) [0|255] "" RACK

BO_ 33 MuxedCommand: 4 PLC
 SG_ Page M : 0|8@1+ (1,0) [0|255] "" RACK
 SG_ First m1 : 8|8@1+ (1,0) [0|255] "" RACK
 SG_ Second m2 : 8|16@1- (0.5,0) [0|0] "V" RACK

BO_ 34 Slow: 2 PLC
 SG_ Word : 0|16@1+ (1,0) [0|65535] "" RACK

BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN",RESERVED,"StandardCAN_FD","ExtendedCAN_FD";
BA_DEF_ SG_ "GenSigStartValue" INT 0 255;
BA_DEF_ SG_ "SignalInvalidRaw" INT -1 65535;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_DEF_DEF_ "GenSigStartValue" 0;
BA_DEF_DEF_ "SignalInvalidRaw" -1;
BA_DEF_DEF_ "VFrameFormat" "StandardCAN";
BA_ "VFrameFormat" BO_ 26 14;
BA_ "GenMsgCycleTime" BO_ 32 50;
BA_ "GenMsgCycleTime" BO_ 25 100;
BA_ "GenSigStartValue" SG_ 32 Spare 170;
BA_ "SignalInvalidRaw" SG_ 17 E 127;
VAL_ 25 State 0 "OFF" 1 "ON" 14 "ERROR" 15 "SNA" ;
VAL_ 25 Temperature -128 "SNA" ;
VAL_ 32 Mode 0 "IDLE" 7 "TEST" ;
VAL_ 30 Contact 0 "Open" 1 "Closed" 2 "Error" 3 "Not available" ;
VAL_ 30 Reading 0 "Invalid" 1 "Valid" ;
VAL_ 30 Flag 0 "Invalid" 1 "Fine" ;
VAL_ 30 Pressure 254 "Sensor fault" 255 "Signal not available" ;
SIG_VALTYPE_ 27 Intel : 1;
SIG_VALTYPE_ 27 Motorola : 1;
SIG_VALTYPE_ 27 Odd : 1;
SIG_VALTYPE_ 21 Intel : 1;
SIG_VALTYPE_ 21 Motorola : 1;
SIG_VALTYPE_ 22 Value : 2;
SIG_VALTYPE_ 32 Limit : 1;
SG_MUL_VAL_ 24 Inner Outer 1-1;
SG_MUL_VAL_ 24 Deep Inner 2-2;
SG_MUL_VAL_ 24 Flat Outer 3-5;
SG_MUL_VAL_ 28 Middle Outer 1-2;
SG_MUL_VAL_ 28 Inner Middle 2-2;
SG_MUL_VAL_ 28 Leaf Inner 7-8;
SG_MUL_VAL_ 28 Branch Inner 9-9, 11-12;
SG_MUL_VAL_ 28 Side Outer 3-3;
""".replace("RESERVED", ",".join(['"reserved"'] * 12))  # StandardCAN_FD is number 14


def write_synthetic(root: Path) -> Path:
    """The DBC as a file `dbc/synthetic.dbc` below a site's root."""
    path = root / "dbc" / "synthetic.dbc"
    path.parent.mkdir(exist_ok=True)
    path.write_text(SYNTHETIC, encoding="utf-8")
    return path


def large_dbc(seed: int = 1) -> str:
    """A DBC of the size of foxBMS: 2,000 signals, most of them cell voltages and temperatures in multiplexed messages.

    Cell messages are laid out as foxBMS lays out its own: a selector byte, then a flag and a word for each cell, Motorola.
    """
    chance = random.Random(seed)
    lines = ['VERSION ""', "NS_ :", "BS_:", "BU_: PLC RACK"]
    signals = 0
    for string in range(4):
        voltages = list(_cell_message(0x240 + string, f"Voltages_{string}", 45, 4, 13, "(1,0)", "mV"))
        temperatures = list(_cell_message(0x250 + string, f"Temperatures_{string}", 10, 6, 8, "(1,-40)", "degC"))
        lines += voltages + temperatures
    number = 0
    while (signals := sum(line.startswith(" SG_") for line in lines)) < 2000:
        lines += _mixed_message(0x300 + number, f"Mixed_{number}", chance, 2000 - signals)
        number += 1
    return "\n".join(lines) + "\n"


def _cell_message(identifier: int, name: str, pages: int, cells: int, width: int, factor: str, unit: str) -> Iterator[str]:
    yield f"\nBO_ {identifier} {name}: 8 RACK"
    yield ' SG_ Page M : 7|8@0+ (1,0) [0|255] "" PLC'
    for page in range(pages):
        for cell in range(cells):
            bit = 8 + cell * (width + (width == 13))
            number = page * cells + cell
            if width == 13:
                yield f' SG_ Invalid_{number} m{page} : {_sawtooth(bit)}|1@0+ (1,0) [0|1] "" PLC'
                bit += 1
            yield f' SG_ Cell_{number} m{page} : {_sawtooth(bit)}|{width}@0+ {factor} [0|0] "{unit}" PLC'


def _sawtooth(bit: int) -> int:
    """The DBC's number of a bit that is counted from the highest bit of the first byte."""
    return 8 * (bit // 8) + 7 - bit % 8


def _mixed_message(identifier: int, name: str, chance: random.Random, most: int) -> Iterator[str]:
    """A message of 8 bytes, the first four Intel, the others Motorola, with signals of any length, sign and factor."""
    yield f"\nBO_ {identifier} {name}: 8 RACK"
    count = 0
    for motorola in (False, True):
        bit = 32 * motorola
        while bit < 32 + 32 * motorola and count < most:
            length = min(chance.randint(1, 14), 32 + 32 * motorola - bit)
            start, order = (_sawtooth(bit), 0) if motorola else (bit, 1)
            factor = chance.choice(["(1,0)", "(0.1,0)", "(0.01,-40)", "(2,1)", "(0.5,-100)", "(0.001,0)"])
            sign = chance.choice("+-")
            yield f' SG_ S{count} : {start}|{length}@{order}{sign} {factor} [0|0] "{chance.choice(["V", "A", "kW", ""])}" PLC'
            bit += length
            count += 1
