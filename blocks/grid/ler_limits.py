"""The thresholds and reserves of a limited energy reservoir."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, block
from blocks.grid.laws import PRODUCTS, reservoir_soc


@block(source="Technical Requirements for FCR Provision in the Nordic Synchronous Area v1.1 (2025), 3.5 and table 10")
class LER_LIMITS:
    """What a battery must keep free for a Nordic reserve: power and energy each way, and the thresholds of its energy management.

    FCR-N reserves 1.34 * CAPACITY and one hour of CAPACITY each way. FCR-D upwards reserves CAPACITY up, 0.20 * CAPACITY down and
    20 minutes of CAPACITY; downwards mirrors it. A threshold is CAPACITY * m / 60 / ENERGY, and 1 minus that at the upper end,
    with m = 5 (AEM on), 10 (AEM off), 30 or 20 (NEM on) and 57.5 or 20 (NEM off), held within 0 .. 100 %. NEM and AEM compute the
    same by themselves; here they can be shown. ENOUGH tells whether the battery's power and energy suffice; an input
    that is no finite number says no.
    """

    CAPACITY = Input(LREAL, "capacity sold, as a positive number", unit="kW", min=0)
    ENERGY = Input(LREAL, "energy of the reservoir from 0 to 100 %", unit="kWh", min=0)
    PRODUCT = Input(DINT, "which reserve", default=0, min=0, max=2, names=PRODUCTS)
    P_MIN = Input(LREAL, "lowest power that the battery can give, charging being negative", unit="kW", max=0)
    P_MAX = Input(LREAL, "highest power that the battery can give", unit="kW", min=0)
    P_UP = Output(LREAL, "discharging power to keep free", unit="kW", min=0)
    P_DOWN = Output(LREAL, "charging power to keep free, as a positive number", unit="kW", min=0)
    E_UP = Output(LREAL, "energy to keep for discharging", unit="kWh", min=0)
    E_DOWN = Output(LREAL, "room to keep for charging", unit="kWh", min=0)
    AEM_LOW_ON = Output(LREAL, "AEM on below this state of charge", unit="%", min=0, max=100)
    AEM_LOW_OFF = Output(LREAL, "AEM off from this state of charge on", unit="%", min=0, max=100)
    NEM_LOW_ON = Output(LREAL, "NEM charges below this state of charge", unit="%", min=0, max=100)
    NEM_LOW_OFF = Output(LREAL, "NEM charges up to this state of charge", unit="%", min=0, max=100)
    NEM_HIGH_OFF = Output(LREAL, "NEM discharges down to this state of charge", unit="%", min=0, max=100)
    NEM_HIGH_ON = Output(LREAL, "NEM discharges above this state of charge", unit="%", min=0, max=100)
    AEM_HIGH_OFF = Output(LREAL, "AEM off up to this state of charge", unit="%", min=0, max=100)
    AEM_HIGH_ON = Output(LREAL, "AEM on above this state of charge", unit="%", min=0, max=100)
    ENOUGH = Output(BOOL, "the battery has the power and the energy")

    def step(fb, dt):
        sold = max(fb.CAPACITY, 0.0) if is_finite(fb.CAPACITY) else 0.0
        both = fb.PRODUCT == 0
        fb.P_UP = sold * (1.34 if both else (1.0 if fb.PRODUCT == 1 else 0.2))
        fb.P_DOWN = sold * (1.34 if both else (0.2 if fb.PRODUCT == 1 else 1.0))
        fb.E_UP = sold if both else (sold / 3.0 if fb.PRODUCT == 1 else 0.0)
        fb.E_DOWN = sold if both else (0.0 if fb.PRODUCT == 1 else sold / 3.0)
        fb.AEM_LOW_ON = clamp(0.0, reservoir_soc(sold, fb.ENERGY, 5.0), 100.0)
        fb.AEM_LOW_OFF = clamp(0.0, reservoir_soc(sold, fb.ENERGY, 10.0), 100.0)
        fb.NEM_LOW_ON = clamp(0.0, reservoir_soc(sold, fb.ENERGY, 30.0 if both else 20.0), 100.0)
        fb.NEM_LOW_OFF = clamp(0.0, reservoir_soc(sold, fb.ENERGY, 57.5 if both else 20.0), 100.0)
        fb.NEM_HIGH_OFF = 100.0 - fb.NEM_LOW_OFF
        fb.NEM_HIGH_ON = 100.0 - fb.NEM_LOW_ON
        fb.AEM_HIGH_OFF = 100.0 - fb.AEM_LOW_OFF
        fb.AEM_HIGH_ON = 100.0 - fb.AEM_LOW_ON
        powerful = fb.P_MAX >= fb.P_UP and 0.0 - fb.P_MIN >= fb.P_DOWN
        is_known = is_finite(fb.CAPACITY + fb.ENERGY + fb.P_MIN + fb.P_MAX) and fb.CAPACITY >= 0.0
        fb.ENOUGH = is_known and powerful and fb.ENERGY >= fb.E_UP + fb.E_DOWN

    example = Example(
        CAPACITY="1MW",
        P_MIN=-1400.0,
        P_MAX=1400.0,
        table="""
        PRODUCT ENERGY | P_UP P_DOWN E_UP  AEM_LOW_ON AEM_LOW_OFF NEM_LOW_ON NEM_LOW_OFF NEM_HIGH_ON ENOUGH
        0       2000   | 1340 1340   1000  ~4.167     ~8.333      25         ~47.917     75          1
        0       1999   | 1340 1340   1000  ~4.169     ~8.338      ~25.01     ~47.94      ~74.99      0
        1       2000   | 1000 200    ~333.3 ~4.167    ~8.333      ~16.667    ~16.667     ~83.333     1
        2       2000   | 200  1000   0     ~4.167     ~8.333      ~16.667    ~16.667     ~83.333     1
    """,
    )
