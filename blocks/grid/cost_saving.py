"""Trading with a table of prices."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min, to_lreal
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, Var, block

STATES = ("idle", "charging", "discharging", "bad input")


@block(source="Price arbitrage with a round-trip loss, greedy by rank: our own law, since the source names the mode only")
class COST_SAVING:
    """Charges in the cheapest slots and discharges in the dearest, where the difference pays for the loss and the wear.

    PRICE holds the slots of the day, SLOT is the one that runs, all of SLOT_TIME. It charges where a later slot sells dearer
    (PRICE * EFFICIENCY - WEAR above the price now), and fewer slots before that are cheaper than it takes to fill the battery. It
    discharges where refilling pays, later or at the lowest price of the table (price now * EFFICIENCY - WEAR above it), and fewer
    slots before that are dearer than it takes to empty it; never at or below WEAR. Where both hold, or SLOT is outside the table,
    it is idle.

    The power is P_RATED within P_MIN .. P_MAX, at last only what SOC_MIN .. SOC_MAX needs in a minute, so it ends softly. A trade
    begins where 1 % of ENERGY more than its least is there, and then needs the least alone, so a noisy SOC does not switch it. It
    looks at no load. A price of another slot that is no number is not counted; one of this slot, or another broken input, gives
    0.
    """

    PRICE = Input(Array(LREAL, "N"), "price of each slot, per kWh; negative is possible")
    SLOT = Input(DINT, "slot that runs, from 1; 0 where none is known", min=0)
    SLOT_TIME = Input(LREAL, "length of a slot", unit="h", default=1.0, min=0.01, max=24)
    SOC = Input(LREAL, "state of charge", unit="%")
    ENERGY = Input(LREAL, "capacity of the battery", unit="kWh", min=0)
    P_RATED = Input(LREAL, "power to trade with", unit="kW", min=0)
    P_MIN = Input(LREAL, "lowest power of the battery, charging being negative", unit="kW", max=0)
    P_MAX = Input(LREAL, "highest power of the battery", unit="kW", min=0)
    SOC_MIN = Input(LREAL, "sells down to this state of charge", unit="%", default=10.0, min=0, max=100)
    SOC_MAX = Input(LREAL, "buys up to this state of charge", unit="%", default=95.0, min=0, max=100)
    EFFICIENCY = Input(LREAL, "round trip, grid to grid", unit="%", default=85.0, min=1, max=100)
    WEAR = Input(LREAL, "cost of ageing per kWh that is sold", default=0.0, min=0)
    P = Output(LREAL, "power setpoint of the battery, discharging is positive", unit="kW")
    STATE = Output(DINT, "what it does", min=0, max=3, names=STATES)
    buys = Var(BOOL, "buying pays in this slot", volatile=True)
    sells = Var(BOOL, "selling pays in this slot", volatile=True)

    def step(fb, dt):
        known = fb.SLOT > 0 and fb.SLOT <= len(fb.PRICE)
        here = fb.SLOT - 1 if known else 0
        now = fb.PRICE[here]
        efficiency = clamp(1.0, fb.EFFICIENCY, 100.0) * 0.01
        has_sale = False
        has_refill = False
        cheaper = 0
        dearer = 0
        lowest = now
        for i in range(len(fb.PRICE)):
            price = fb.PRICE[i]
            is_ahead = i > here
            has_sale = has_sale or (is_ahead and price * efficiency - fb.WEAR > now)
            has_refill = has_refill or (is_ahead and now * efficiency - fb.WEAR > price)
            cheaper = cheaper + 1 if is_ahead and not has_sale and price < now else cheaper
            dearer = dearer + 1 if is_ahead and not has_refill and price > now else dearer
            lowest = min(price, lowest) if is_finite(price) else lowest
        rated = max(fb.P_RATED, 0.0)
        slot_energy = rated * max(fb.SLOT_TIME, 0.01)
        room = fb.ENERGY * (fb.SOC_MAX - fb.SOC) * 0.01
        stored = fb.ENERGY * (fb.SOC - fb.SOC_MIN) * 0.01
        least_room = to_lreal(cheaper) * slot_energy + (0.0 if fb.buys else fb.ENERGY * 0.01)
        least_stored = to_lreal(dearer) * slot_energy + (0.0 if fb.sells else fb.ENERGY * 0.01)
        fb.buys = has_sale and room > least_room
        fb.sells = now > fb.WEAR and now * efficiency - fb.WEAR > lowest and stored > least_stored
        bad = not is_finite(now + room + stored + fb.WEAR + fb.EFFICIENCY + fb.P_RATED + fb.SLOT_TIME + slot_energy)
        state = 0 if fb.buys == fb.sells else (1 if fb.buys else 2)
        fb.STATE = 3 if bad else (state if known else 0)
        power = 0.0
        if fb.STATE == 1:
            power = 0.0 - min(min(rated, room * 60.0), max(0.0 - fb.P_MIN, 0.0))
        elif fb.STATE == 2:
            power = min(min(rated, stored * 60.0), max(fb.P_MAX, 0.0))
        fb.P = power if is_finite(power) else 0.0

    example = Example(
        PRICE=[0.10, 0.05, 0.20, 0.40, 0.35, 0.15],
        ENERGY=100.0,
        P_RATED="100kW",
        P_MIN=-100.0,
        P_MAX=100.0,
        SOC_MIN="0%",
        SOC_MAX="100%",
        table="""
        SLOT SOC | P    STATE
        1    0   | 0    0      # one slot fills it, and the next is cheaper
        2    0   | -100 1
        3    100 | 0    0      # slot 4 is dearer
        4    100 | 100  2
        5    40  | 100  2
        6    0   | 0    0      # nothing dearer to come
        0    50  | 0    0
    """,
    )
