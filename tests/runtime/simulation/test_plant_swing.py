"""The power system: the swing equation against scipy and hand calculations, and our answer that moves the frequency."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from runtime.simulation.grid import build_grid, lose_unit, turn
from runtime.simulation.settings import GridSettings
from runtime.simulation.swing import Swing, lose, swing_on

# The Nordic system of NUMBERS.md: Sn 23000 MVA, Ek 120000 MWs, Kf 0.01 MW/MW a Hz
NORDIC = {"system_mva": 23_000.0, "inertia_s": 120_000 / 23_000, "load_damping": 0.01 * 50, "frequency_sigma_hz": 0.0}


def settings(**changed):
    return GridSettings(**(NORDIC | changed))


def run(swing, seconds, dt=0.1, kw=lambda hz: 0.0):
    return np.array([(swing_on(swing, kw(swing.off_hz), dt), swing.off_hz)[1] for _ in range(round(seconds / dt))])


def test_a_lost_unit_falls_at_first_by_inertia_alone():
    # df/dt = -dP f0 / (2 Ek): 1450 MW x 50 / 240000 MWs = 0.302 Hz/s
    swing = Swing(settings(governor_droop=0.0))
    lose(swing, 1450.0)
    swing_on(swing, 0.0, 0.02)
    assert swing.rocof_hz_s == pytest.approx(-1450 * 50 / 240_000, rel=0.002)


def test_without_governors_the_load_alone_ends_the_fall():
    # df = -dP / (Kf Sn) = 200 / 230 Hz
    swing = Swing(settings(governor_droop=0.0))
    lose(swing, 200.0)
    assert run(swing, 600.0)[-1] == pytest.approx(-200 / 230, rel=1e-4)


def test_governors_leave_their_droop():
    # df/f0 = -dP / (1/R + D)
    swing = Swing(settings())
    lose(swing, 1000.0)
    assert run(swing, 600.0)[-1] == pytest.approx(-50 * 1000 / 23_000 / (1 / 0.10 + 0.5), rel=1e-4)


@pytest.mark.parametrize("dt", [0.01, 0.1, 1.0])
def test_the_swing_equation_is_solved_as_scipy_does(dt):
    s = settings()
    lost = 1450 / 23_000

    def law(_, y):
        wanted = np.clip(-y[0] / s.governor_droop, -s.governor_reserve, s.governor_reserve)
        return [(y[1] - lost - s.load_damping * y[0]) / (2 * s.inertia_s), (wanted - y[1]) / s.governor_s]

    times = np.arange(1, round(60 / dt) + 1) * dt
    truth = solve_ivp(law, (0, 60), [0.0, 0.0], t_eval=times, rtol=1e-9, atol=1e-12, max_step=0.1).y[0] * 50
    swing = Swing(s)
    lose(swing, 1450.0)
    seen = run(swing, 60.0, dt)
    assert seen == pytest.approx(truth, abs=2e-4)
    assert seen.min() < -0.5


def test_reserves_that_are_too_small_do_not_stop_the_fall():
    swing = Swing(settings(governor_reserve=0.01))
    lose(swing, 1000.0)
    assert run(swing, 600.0)[-1] == pytest.approx(-50 * (1000 / 23_000 - 0.01) / 0.5, rel=1e-3)


def test_our_answer_lifts_the_nadir():
    # 1 MW that follows FCR-D (full at 49.5 Hz), alike at 1450 sites
    def answer(hz):
        return 1000.0 * min(max(-(hz + 0.1) / 0.4, 0.0), 1.0)

    nadirs = []
    for kw in (lambda hz: 0.0, answer):
        swing = Swing(settings(sites_alike=1450.0))
        lose(swing, 1450.0)
        nadirs.append(run(swing, 60.0, 0.02, kw).min())
    assert nadirs[1] > nadirs[0] + 0.2


def test_the_grid_shows_what_the_system_does():
    grid = build_grid(settings(), np.random.default_rng(1))
    lose_unit(grid, 1450.0)
    for _ in range(100):
        turn(grid, 0.0, 0.0, 0.02, 0.02)
    assert grid.frequency_hz == pytest.approx(50.0 + grid.swing.off_hz)
    assert grid.frequency_hz < 49.6


def test_a_grid_without_inertia_says_so():
    grid = build_grid(GridSettings(), np.random.default_rng(1))
    with pytest.raises(ValueError, match="system_mva"):
        lose_unit(grid, 1.0)
