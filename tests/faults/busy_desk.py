"""Desks that check patients in, enrol and forget until they are killed; each event is acknowledged after its commit.

python -m tests.faults.busy_desk HOME: starts one such process for each line on stdin and writes "pid N" and, when that
process has ended, "end". Forking saves the seconds that the imports take; the child opens everything itself.
"""

import itertools
import os
import secrets
import sys
from pathlib import Path

from sync.clock import SystemClock
from sync.home import Home
from tests.fakes.patients import make_iin
from tests.fakes.working_desk import WorkingDesk, make_circumstances

PATIENTS = 4
"""People who are always enrolled."""

BRIEF = range(100, 18_000)
"""Numbers of people who are enrolled and forgotten again."""


def acknowledge(kind: str, event: str) -> None:
    """The receipt is on the patient's screen."""
    os.write(1, f"{kind} {event}\n".encode())


def work_for_ever(home: Home) -> None:
    """What a desk does all day, at the speed of the disk."""
    desk = WorkingDesk(home, SystemClock())
    desk.db.execute("PRAGMA wal_autocheckpoint = 20")  # so that kills also hit checkpoints
    for number in itertools.count():
        patient = number % PATIENTS
        decision = desk.decide(patient)
        assert decision.person is not None
        offers = desk.desk.receive(decision.person).offers
        if offers:
            acknowledge("visit", desk.desk.record_visit(decision, offers[0].service, make_circumstances()))
        brief = secrets.choice(BRIEF)
        if number % 5 == 0 and desk.find(brief) is None:
            acknowledge("enrolment", desk.enrol(brief, looks=1).event)
            acknowledge("erasure", desk.enrolment.forget(make_iin(brief), "consent_withdrawn"))


def main() -> None:
    """One life per line."""
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work_for_ever(Home(Path(sys.argv[1])))
        os.write(1, f"pid {pid}\n".encode())
        os.waitpid(pid, 0)
        os.write(1, b"end\n")


if __name__ == "__main__":
    main()
