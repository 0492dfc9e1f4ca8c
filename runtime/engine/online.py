"""Changes the program of a running scan: lays the new one out beside the old, tries it on a copy, and has the old hand over.

It runs in the scan process, in the attendant's thread; the scan thread does no more than `carry.hand_over`. It must not know
files of the site, units or people.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from runtime.child import SwapOrder
from runtime.engine.alarm_count import keep_first_out
from runtime.engine.atomics import as_lreal, load_acquire, scan_path
from runtime.engine.carry import Carry, Program, carry_list, copy_between_scans, do_copies, find_turns, handover_of
from runtime.engine.carry_tags import why_refused
from runtime.engine.cells import REAL, load_wide
from runtime.engine.execute import run_task
from runtime.engine.force import hold_inputs, hold_pulses, lift_forces
from runtime.engine.force_carry import Lifted, lifted_forces, unforced_value
from runtime.engine.force_tables import H_COUNT
from runtime.engine.image import HEADER, Shared, address_of, outbox_payload, ring_size, scan_layout
from runtime.engine.plan import C_PARKED, C_SWAP, C_TOOK, O_SOURCE, O_TYPE, S_INHIBIT, S_SCAN, S_WAKE, Plan, lay_out
from runtime.engine.plc import Plc
from runtime.model import Schedule

PATIENCE_S = 5.0
TRIES = 1000


@dataclass(frozen=True)
class Jump:
    """An output point that the new program would give another value in the very next scan."""

    point: int
    before: float
    after: float

    @property
    def size(self) -> float:
        step = abs(self.after - self.before)
        return step if step == step else np.inf  # to or from no number at all


@dataclass(frozen=True)
class Change:
    """What became of a SwapOrder: refused (why), tried, or swapped after `scan`, which took the scan thread `took` ns.

    `is_forbidden`: it was refused since it is not bumpless, and a BOOL that would permit that is false.
    """

    refused: str = ""
    is_forbidden: bool = False
    is_swapped: bool = False
    scan: int = 0
    took: int = 0
    copies: int = 0
    dropped: tuple[str, ...] = ()
    jumps: tuple[Jump, ...] = ()
    lifted: tuple[Lifted, ...] = ()


class Online:
    """The program that runs in this process and its thread, and how another takes their place. `start` makes the thread."""

    def __init__(self, plc: Plc, start: Callable[[Plc], threading.Thread]):
        self.plc, self._start = plc, start
        self._kept: tuple[object, ...] = ()
        self._stuck: list[Plc] = []  # programs whose thread did not end when it was told to: they stay mapped, with their bell
        self.thread = start(plc)

    def obey(self, order: SwapOrder) -> Change:
        """Try the order's program, and swap to it unless it is a trial only or an output would jump too far."""
        why = _why_not(self.plc, order.schedule)
        if why:
            return Change(why)
        running = self.plc
        state = running.plan.state
        new: Plc | None = None
        try:
            new = Plc(
                order.schedule,
                running.folder,
                order.generation,
                wake=int(state[S_WAKE]),
                inhibit=bool(state[S_INHIBIT]),
                io_generation=running.io_generation,
                beside=running,
            )
            change = self._change(new, order)
        except BaseException:
            if self.plc is running:
                self._give_up(new)
            raise
        if not change.is_swapped:
            self._give_up(new)
        return change

    def _change(self, new: Plc, order: SwapOrder) -> Change:
        carry = carry_list(Program(self.plc.schedule, self.plc.plan), Program(new.schedule, new.plan))
        judged = self._judge(order, carry)
        if judged.refused or order.is_trial:
            return judged
        old, old_thread = self.plc, self.thread
        thread = self._park(new)
        if thread is None:
            return replace(judged, refused="the thread of the new program did not start in time")
        if order.permit or order.limits:  # much may have happened on the plant while the new program was got ready
            try:
                judged = self._judge(order, carry)
            except BaseException:
                self._dismiss(new, thread)
                raise
            if judged.refused:
                self._dismiss(new, thread)
                return judged
        why = self._swap(new, thread, carry)
        if why:
            return replace(judged, refused=why)
        old_thread.join()
        scan, took = int(old.plan.state[S_SCAN]), int(old.plan.control[C_TOOK])
        return replace(judged, is_swapped=True, scan=scan, took=took, lifted=lifted_forces(old, order.schedule))

    def _judge(self, order: SwapOrder, carry: Carry) -> Change:
        """What the change would do to the plant now, and whether that is too much."""
        jumps, lifted = find_jumps(self.plc, order.schedule), lifted_forces(self.plc, order.schedule)
        found = Change(copies=len(carry.copies), dropped=carry.dropped, jumps=jumps, lifted=lifted)
        far = [j for j in jumps if j.point < len(order.limits) and j.size > order.limits[j.point]]
        if far:
            return replace(found, refused=f"{len(far)} output{'s' if len(far) > 1 else ''} would jump further than allowed")
        is_bumpless = not (jumps or carry.dropped or lifted or order.is_grave)
        if not is_bumpless and not all(self.plc.plan.memory[place] for place in order.permit):
            return replace(found, refused="it is not bumpless, which the site does not permit now", is_forbidden=True)
        return found

    def _park(self, new: Plc) -> threading.Thread | None:
        """Start the thread of a program, which waits for its turn; None where it does not in time."""
        new.compile()
        new.attach()
        thread = self._start(new)
        if _within(lambda: load_acquire_word(new.plan, C_PARKED) != 0, PATIENCE_S):
            return thread
        self._dismiss(new, thread)
        return None

    def _swap(self, new: Plc, thread: threading.Thread, carry: Carry) -> str:
        """Have the scan thread hand over to this one, which waits already; empty, or why it could not."""
        old, old_thread = self.plc, self.thread
        handover = handover_of(carry, new.plan)
        self._kept = (handover, carry, new)  # until the next one: a scan thread that is late may still read them
        old.plan.control[C_SWAP] = address_of(handover)
        old_thread.join(PATIENCE_S)
        if old_thread.is_alive():
            old.plan.control[C_SWAP] = 0
            old_thread.join(PATIENCE_S)  # it may just have seen it
        if old_thread.is_alive() or old.plan.control[C_TOOK] == 0:
            self._dismiss(new, thread)
            return "the scan did not hand over: it runs on, or has ended"
        self.plc, self.thread = new, thread
        new.put_in_place()
        new.attach()
        old.retire()
        return ""

    def _dismiss(self, new: Plc, thread: threading.Thread) -> None:
        """End the thread that waits for its turn."""
        new.stop()
        thread.join(PATIENCE_S)
        if thread.is_alive():
            self._stuck.append(new)

    def _give_up(self, new: Plc | None) -> None:
        """Leave nothing of a program that does not take over; None: it could not even be laid out."""
        aside = new or self.plc  # both have their files aside under the same names
        aside.drop_aside()
        if new is not None and new not in self._stuck:
            new.retire()


def _why_not(running: Plc, new: Schedule) -> str:
    """What an online change cannot do; empty where it can."""
    old = running.schedule
    if new.tick != old.tick:
        return f"the base tick changes from {old.tick / 1e6:g} ms to {new.tick / 1e6:g} ms: restart the site"
    same = np.array_equal(new.inputs.type, old.inputs.type) and np.array_equal(new.outputs.type, old.outputs.type)
    if not same:
        return "the inputs or outputs of devices change: restart the site"
    return why_refused(old, new, lambda name: unforced_value(running, name))


def _within(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.0005)
    return True


@scan_path
def _word_of(address: int) -> int:
    return load_acquire(address)


def load_acquire_word(plan: Plan, word: int) -> int:
    return int(_word_of(address_of(plan.control) + 8 * word))


class _Trial:
    """A program laid out where nobody sees it."""

    def __init__(self, schedule: Schedule):
        self.schedule = schedule
        image = Shared.private(scan_layout(schedule.region.size).size)
        memory = Shared.private(max(schedule.initial.size, 1))
        self._outbox = Shared.private(ring_size(outbox_payload(len(schedule.outputs.source))))
        laid = lay_out(schedule, image, memory.memory[HEADER:][: schedule.initial.size], self._outbox.address + HEADER)
        self.plan, self._held = laid.plan, (laid, image, memory)

    def run(self) -> np.ndarray:
        """Every task once; returns the outputs."""
        find_turns(self.plan.tasks)
        _hold_forces(self.plan)
        for n, task in enumerate(self.schedule.tasks):
            run_task(self.plan, n, task.every * self.schedule.tick)
        values = np.zeros(len(self.schedule.outputs.source), np.float64)
        _outputs(self.plan, values)
        return values


@scan_path
def _hold_forces(plan: Plan) -> None:
    """What a scan does about forces and the first alarm's number before it runs its tasks."""
    keep_first_out(plan)
    if plan.forces[0, H_COUNT] != 0:
        lift_forces(plan)
        hold_inputs(plan)
        hold_pulses(plan)


@scan_path
def _outputs(plan: Plan, values: np.ndarray) -> None:
    for point in range(plan.outputs.shape[0]):
        kind = plan.outputs[point, O_TYPE]
        bits = load_wide(plan.outputs[point, O_SOURCE], kind)
        values[point] = as_lreal(bits) if kind == REAL else np.float64(bits)


def find_jumps(running: Plc, schedule: Schedule) -> tuple[Jump, ...]:
    """The outputs that differ after one run of every task from the same memory: of the program that runs, and of this one.

    Raises TimeoutError where the scan never rests long enough to be copied.
    """
    old, new = _Trial(running.schedule), _Trial(schedule)
    sample = carry_list(Program(running.schedule, running.plan), Program(old.schedule, old.plan)).copies
    for _ in range(TRIES):
        if copy_between_scans(running.plan, address_of(sample), len(sample)):
            break
        time.sleep(running.schedule.tick / 4e9)
    else:
        raise TimeoutError("the scan never rests long enough to copy its memory")
    carried = carry_list(Program(old.schedule, old.plan), Program(schedule, new.plan)).copies
    do_copies(address_of(carried), len(carried))
    return _differences(old.run().tolist(), new.run().tolist())


def _differences(before: Sequence[float], after: Sequence[float]) -> tuple[Jump, ...]:
    pairs = enumerate(zip(before, after, strict=True))
    return tuple(Jump(n, a, b) for n, (a, b) in pairs if a != b and not (a != a and b != b))
