"""Steps become kernels: the listed subset of Python is taken, everything else is refused with its place."""

from __future__ import annotations

import ast
import math
import os
import subprocess
import sys

import pytest

import blocks
from blocks.arithmetic import min
from blocks.declare import BOOL, CATALOGUE, DINT, LREAL, Input, Output, Var, block
from runtime.engine import cache
from runtime.engine.translate import StepError, kernel_source
from tests.aids.places import ROOT


@pytest.fixture(autouse=True)
def _leave_the_catalogue_alone():
    before = dict(blocks.catalogue())
    yield
    CATALOGUE.clear()
    CATALOGUE.update(before)


def declared(step, **pins):
    """A block with this step."""
    body = {
        "__doc__": "A block of this test.",
        "IN": Input(LREAL, "input", default=0.0),
        "OUT": Output(LREAL, "output"),
        **pins,
        "step": step,
    }
    return block(source="this test")(type("TRIAL", (), body))


def leaves_early(fb, dt):
    if fb.IN > 0:
        return
    fb.OUT = fb.IN


def loops_forever(fb, dt):
    while fb.IN > 0:
        fb.OUT = fb.IN


def calls_out(fb, dt):
    fb.OUT = round(fb.IN)


def reads_the_clock(fb, dt):
    import time

    fb.OUT = time.time()


def writes_its_input(fb, dt):
    fb.IN = 0.0


def uses_no_pin(fb, dt):
    fb.OUT = fb.MISSING


def passes_itself(fb, dt):
    fb.OUT = min(fb, 1.0)


def builds_a_list(fb, dt):
    fb.OUT = [fb.IN][0]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (leaves_early, "uses Return"),
        (loops_forever, "uses While"),
        (calls_out, r"calls round\(\), which is not in blocks/arithmetic.py"),
        (reads_the_clock, "uses Import"),
        (writes_its_input, "assigns to its input IN"),
        (uses_no_pin, "fb.MISSING, which is no pin"),
        (passes_itself, "uses fb as a value"),
        (builds_a_list, "uses List"),
    ],
)
def test_a_step_outside_the_subset_is_refused(step, message):
    with pytest.raises(StepError, match=message):
        kernel_source(declared(step))


def test_the_refusal_names_the_file_and_line():
    with pytest.raises(StepError, match=rf":{leaves_early.__code__.co_firstlineno + 2}: TRIAL.step uses Return"):
        kernel_source(declared(leaves_early))


def compiled(folder, source, then=""):
    """Compile a kernel's text in a process of its own, and perhaps print something of it."""
    path = folder / "trial_kernel.py"
    path.write_text(source)
    code = f"import runpy; from runtime.engine.cache import set_flags; set_flags(); found = runpy.run_path({str(path)!r}); {then}"
    environment = {"BESSPLC_CACHE": str(folder / "cache"), "PATH": "/usr/bin"}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)


def gives_lreal_to_dint(fb, dt):
    fb.N = fb.IN


def test_an_lreal_in_an_integer_pin_does_not_compile(tmp_path):
    source = kernel_source(declared(gives_lreal_to_dint, N=Output(DINT, "number")))
    done = compiled(tmp_path, source)
    assert done.returncode != 0
    assert "TypingError" in done.stderr


NOWHERE, BEYOND, BELOW, GAIN = math.nan, math.inf, -math.inf, 2.5


def uses_row(fb, dt):
    row = fb.IN
    fb.OUT = row


def uses_rows(fb, dt):
    for rows in range(3):
        fb.OUT = fb.IN + rows


def uses_n(fb, dt):
    n = fb.IN
    n += 1.0
    fb.OUT = n


def uses_columns(fb, dt):
    columns = fb.IN
    fb.OUT = columns


def sets_dt(fb, dt):
    dt = 5
    fb.OUT = fb.IN * dt


def uses_a_pins_local(fb, dt):
    p_IN = 3.0
    fb.OUT = fb.IN + p_IN


def uses_a_pins_column(fb, dt):
    OUT_ = 3.0
    fb.OUT = fb.IN + OUT_


def reads_a_generated_name(fb, dt):
    fb.OUT = fb.IN + row  # noqa: F821 - what the kernel would silently give it


@pytest.mark.parametrize(
    ("step", "line", "name"),
    [
        (uses_row, 1, "row"),
        (uses_rows, 1, "rows"),
        (uses_n, 1, "n"),
        (uses_columns, 1, "columns"),
        (sets_dt, 1, "dt"),
        (uses_a_pins_local, 1, "p_IN"),
        (uses_a_pins_column, 1, "OUT_"),
        (reads_a_generated_name, 1, "row"),
    ],
)
def test_a_name_that_the_kernel_needs_for_itself_is_refused_with_its_place(step, line, name):
    place = step.__code__.co_firstlineno + line
    with pytest.raises(StepError, match=rf":{place}: TRIAL.step uses the name `{name}`, which its kernel needs"):
        kernel_source(declared(step))


def reads_dt(fb, dt):
    share = dt * 2
    fb.OUT = fb.IN * share


def test_reading_dt_and_other_locals_stay_allowed():
    assert "share = dt * 2" in kernel_source(declared(reads_dt))


def no_numbers(fb, dt):
    fb.OUT = NOWHERE if fb.IN > GAIN else (BEYOND if fb.IN > 0 else BELOW)
    fb.far = 1e999


def test_nan_and_infinity_are_written_as_numpy_names_them_and_compile(tmp_path):
    source = kernel_source(declared(no_numbers, far=Var(LREAL, "beyond")))
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert not names & {"nan", "inf"}
    for text in ("np.nan", "np.inf", "-np.inf", "2.5"):
        assert text in source
    run = "import ctypes, numpy as np; a = [np.array([v]) for v in (3.0, 0.0, 0.0)]; k = found['kernel']; "
    run += "c = (ctypes.c_void_p * 3)(*[x.ctypes.data for x in a]); k.ctypes(c, 1, 0, 0); print(a[1][0], a[2][0]); "
    run += "a[0][0] = 1.0; k.ctypes(c, 1, 0, 0); print(a[1][0]); a[0][0] = -1.0; k.ctypes(c, 1, 0, 0); print(a[1][0])"
    done = compiled(tmp_path, source, run)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["nan", "inf", "inf", "-inf"]


def keeps(fb, dt):
    fb.OUT = fb.IN if fb.on else 0.0
    fb.on = not fb.on


def test_a_kernel_loads_all_pins_then_stores_what_was_assigned():
    text = kernel_source(declared(keeps, on=Var(BOOL, "toggles")))
    assert text.index("p_IN = IN_[row]") < text.index("p_OUT = ") < text.index("OUT_[row] = p_OUT")
    assert "IN_[row] = p_IN" not in text


def test_a_kernel_is_keyed_by_the_text_of_the_functions_it_uses():
    source = kernel_source(CATALOGUE["TON"])
    changed = source.replace("return a if a < b else b", "return b if b < a else a")
    assert changed != source, "the helper's text is inside the kernel"
    assert cache.digest(source) != cache.digest(changed)


def said_by(code, place):
    """What a new process says that keeps its compiled code in this place."""
    environment = {"BESSPLC_CACHE": str(place), "PATH": "/usr/bin"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_cached_kernel_is_not_compiled_again(tmp_path):
    code = "import blocks; from runtime.engine import kernels; b = blocks.catalogue()['TON']; "
    code += "print(kernels.uncached([(b, None)])); kernels.load_kernel(b)"
    assert [said_by(code, tmp_path) for _ in range(2)] == ["['TON']\n", "[]\n"]
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("rooms", ["runtime.engine.loop", "runtime.engine.kernels"])
def test_what_child_processes_compile_is_loaded_and_not_compiled_again(tmp_path, rooms):
    code = f"import {rooms}; import blocks; from runtime.engine import kernels; "
    code += "wanted = [(blocks.catalogue()[name], None) for name in ('TON', 'TOF', 'R_TRIG', 'NOT')]; "
    code += "print([one.code.kernel.cache_hits for one in kernels.load_kernels(wanted).values()])"
    assert said_by(code, tmp_path) == "[1, 1, 1, 1]\n"
    assert len(list((tmp_path / "kernels").rglob("*.nbc"))) == len(list(tmp_path.rglob("*.kernel-*.nbc"))) == 4


def test_a_child_whose_site_was_stopped_while_it_compiled_ends_without_a_word(tmp_path):
    for name in ("NOT", "AND"):
        (tmp_path / f"{name}.py").write_text(kernel_source(CATALOGUE[name]))
    command = [sys.executable, "-m", "runtime.engine.kernels", *map(str, sorted(tmp_path.glob("*.py")))]
    read, write = os.pipe()
    os.close(read)
    try:
        ended = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "AND.done").exists(), "what was compiled stays for the next start"


def test_a_cache_that_others_own_is_not_trusted(monkeypatch, tmp_path):
    monkeypatch.setenv("BESSPLC_CACHE", str(tmp_path))
    monkeypatch.setattr(cache.os, "geteuid", lambda: 12345)
    with pytest.raises(cache.CacheError, match="belongs to user"):
        cache.folder.__wrapped__()
