"""A synthetic DBC with every kind of signal that the CAN driver must carry: both byte orders, signs, floats, multiplexing, FD."""

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
BA_ "GenSigStartValue" SG_ 32 Spare 170;
BA_ "SignalInvalidRaw" SG_ 17 E 127;
VAL_ 25 State 0 "OFF" 1 "ON" 14 "ERROR" 15 "SNA" ;
VAL_ 25 Temperature -128 "SNA" ;
VAL_ 32 Mode 0 "IDLE" 7 "TEST" ;
SIG_VALTYPE_ 21 Intel : 1;
SIG_VALTYPE_ 21 Motorola : 1;
SIG_VALTYPE_ 22 Value : 2;
SIG_VALTYPE_ 32 Limit : 1;
SG_MUL_VAL_ 24 Inner Outer 1-1;
SG_MUL_VAL_ 24 Deep Inner 2-2;
SG_MUL_VAL_ 24 Flat Outer 3-5;
""".replace("RESERVED", ",".join(['"reserved"'] * 12))  # StandardCAN_FD is number 14


def write_synthetic(root: Path) -> Path:
    """The DBC as a file `dbc/synthetic.dbc` below a site's root."""
    path = root / "dbc" / "synthetic.dbc"
    path.parent.mkdir(exist_ok=True)
    path.write_text(SYNTHETIC, encoding="utf-8")
    return path
