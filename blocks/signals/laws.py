"""The laws of thermocouples that signal blocks share."""

from __future__ import annotations


def bell(t):
    """0.1185976 exp(-1.183432e-4 (t - 126.9686)^2) mV, the correction in the reference function of type K; for -50 to 150 °C.

    The series of a sixteenth of the exponent, squared four times: two libraries' exp differ in the last bit.
    """
    x = -1.183432e-4 * (t - 126.9686) * (t - 126.9686) * 0.0625
    part = 1.0
    for n in range(12, 0, -1):
        part = 1.0 + part * x / n
    part = part * part
    part = part * part
    part = part * part
    return 0.1185976 * part * part


def type_k_millivolts(t):
    """The electromotive force of a type K thermocouple against 0 °C, for -50 to 150 °C (NIST Monograph 175, reference function)."""
    cold = t * (
        3.9450128025e-2
        + t * (2.3622373598e-5 + t * (-3.2858906784e-7 + t * (-4.9904828777e-9 + t * (-6.7509059173e-11 + t * -5.7410327428e-13))))
    )
    lowest = -3.1088872894e-15 + t * (-1.0451609365e-17 + t * (-1.9889266878e-20 + t * -1.6322697486e-23))
    high = 3.1840945719e-10 + t * (-5.6072844889e-13 + t * (5.6075059059e-16 + t * (-3.2020720003e-19 + t * 9.7151147152e-23)))
    warm = -1.7600413686e-2 + t * (3.8921204975e-2 + t * (1.8558770032e-5 + t * (-9.9457592874e-8 + t * high)))
    last = -1.2104721275e-26
    t3 = t * t * t
    if t < 0.0:
        return cold + t3 * t3 * t * lowest
    return warm + t3 * t3 * t3 * last + bell(t)


def type_k_celsius(millivolts):
    """The temperature of a type K thermocouple from -200 to 1372 °C, within 0.06 K (NIST Monograph 175, inverse polynomials)."""
    e = millivolts
    if e < 0.0:
        low = -3.7342377e-1 + e * (-8.6632643e-2 + e * (-1.0450598e-2 + e * -5.1920577e-4))
        return e * (2.5173462e1 + e * (-1.1662878 + e * (-1.0833638 + e * (-8.977354e-1 + e * low))))
    if e < 20.644:
        top = -1.228034e-2 + e * (9.804036e-4 + e * (-4.41303e-5 + e * (1.057734e-6 + e * -1.052755e-8)))
        return e * (2.508355e1 + e * (7.860106e-2 + e * (-2.503131e-1 + e * (8.31527e-2 + e * top))))
    high = 5.464731e-2 + e * (-9.650715e-4 + e * (8.802193e-6 + e * -3.11081e-8))
    return -1.318058e2 + e * (4.830222e1 + e * (-1.646031 + e * high))
