"""The heat that a coolant carries away."""

from __future__ import annotations

from blocks.declare import LREAL, Example, Input, Output, block

L_PER_M3_AND_S_PER_MIN = 60000.0


@block(source="First law for a liquid stream: Q = m cp dT; defaults for water at 25 °C (IAPWS-95: 997.05 kg/m3, 4.181 kJ/kg K)")
class HEAT_FLOW:
    """The heat that a coolant loop takes up, from its flow and its two temperatures; negative where it heats.

    POWER = FLOW DENSITY CP (T_RETURN - T_SUPPLY). A mixture with glycol is denser and carries less: set both from its data sheet.
    The two sensors should be a matched pair: at a spread of 3 K an error of 0.3 K is 10 %. A NaN is passed on.
    """

    FLOW = Input(LREAL, "coolant flow", unit="l/min")
    T_SUPPLY = Input(LREAL, "coolant to the battery", unit="°C")
    T_RETURN = Input(LREAL, "coolant from the battery", unit="°C")
    DENSITY = Input(LREAL, "density of the coolant", unit="kg/m3", default=997.05, min=0)
    CP = Input(LREAL, "specific heat of the coolant", unit="kJ/kg/K", default=4.181, min=0)
    POWER = Output(LREAL, "heat taken up", unit="kW")

    def step(fb, dt):
        fb.POWER = fb.FLOW / L_PER_M3_AND_S_PER_MIN * fb.DENSITY * fb.CP * (fb.T_RETURN - fb.T_SUPPLY)

    example = Example(
        DENSITY=1000.0,
        CP=4.2,
        table="""
        FLOW T_SUPPLY T_RETURN | POWER
        60   18       23       | 21          # 1 kg/s, 5 K
        60   18       18       | 0
        60   25       20       | -21         # it heats the battery
        nan  18       23       | nan
        60   18       23       | 21
    """,
    )
