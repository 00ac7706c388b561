"""The clock that stamps news: a step of the machine's clock is noticed, not followed blindly."""

from __future__ import annotations

from dataclasses import dataclass

from feedserver.clock import SETTLED, STEP_MAX, Clock

DAY = 86_400_000
NOON = 1_747_483_200_000


@dataclass
class Machine:
    """A machine's wall clock, which can be set, and its time since boot, which cannot."""

    wall: int = NOON
    running: int = 5_000
    synchronised: bool = False

    def clock(self, newest: int = 0) -> Clock:
        return Clock(lambda: self.wall, lambda: self.running, lambda: self.synchronised, newest)

    def passes(self, millis: int) -> None:
        self.wall += millis
        self.running += millis


def test_a_clock_that_runs_well_is_followed_with_its_small_corrections() -> None:
    machine = Machine()
    clock = machine.clock()
    for correction in (0, 40, -3_000, STEP_MAX, -STEP_MAX):
        machine.passes(1_000)
        machine.wall += correction
        assert clock.now() == machine.wall
        assert clock.step == 0


def test_a_year_ahead_for_a_minute_stamps_nothing_a_year_ahead() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 365 * DAY
    for second in range(60):
        assert clock.now() == NOON + second * 1_000
        assert clock.step == 365 * DAY
        machine.passes(1_000)
    machine.wall -= 365 * DAY
    assert clock.now() == NOON + 60_000
    assert clock.step == 0


def test_a_step_is_followed_once_the_kernel_says_that_it_is_synchronised() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += DAY
    assert clock.now() == NOON
    machine.synchronised = True
    assert clock.now() == NOON + DAY
    assert clock.step == 0


def test_a_step_that_nobody_vouches_for_waits_for_the_operator() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.note(NOON)
    machine.wall += DAY
    for _ in range(3):
        machine.passes(SETTLED)
        clock.now()
    assert clock.step == DAY
    clock.accept()
    assert clock.now() == machine.wall
    assert clock.step == 0


def test_a_step_back_towards_the_newest_record_is_followed_after_ten_minutes() -> None:
    machine = Machine(wall=NOON + 30 * DAY)  # it was wrong from the start
    clock = machine.clock(newest=NOON)
    machine.wall -= 30 * DAY
    assert clock.step == 0
    clock.now()
    assert clock.step == -30 * DAY
    machine.passes(SETTLED - 1)
    clock.now()
    assert clock.step == -30 * DAY
    machine.passes(1)
    assert clock.now() == machine.wall
    assert clock.step == 0


def test_another_step_begins_the_wait_anew() -> None:
    machine = Machine(wall=NOON + 30 * DAY)
    clock = machine.clock(newest=NOON)
    machine.wall -= 20 * DAY
    clock.now()
    machine.passes(SETTLED - 1)
    machine.wall -= 10 * DAY
    clock.now()
    machine.passes(SETTLED - 1)
    clock.now()
    assert clock.step == -30 * DAY


def test_after_a_restart_the_newest_record_is_the_reference() -> None:
    machine = Machine()
    clock = machine.clock(newest=NOON + DAY)  # the machine came up with a clock of yesterday
    assert clock.now() == NOON + DAY - STEP_MAX
    assert clock.step < 0
    assert machine.clock(newest=NOON + STEP_MAX - 1).step == 0
    assert machine.clock(newest=NOON - 900 * DAY).step == 0  # it was off for long
