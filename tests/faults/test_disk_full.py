"""The disk is full, by a limit on the length of files that the kernel enforces: refused, named, nothing is lost."""

import resource
import signal
from collections.abc import Iterator

import pytest

from sync.errors import DiskFailing, DiskFull
from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import WorkingDesk


@pytest.fixture
def limit() -> Iterator[None]:
    """Limits of this process that are put back; a write beyond them is an error, not a signal."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def _may_grow_to(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.usefixtures("limit")
def test_a_full_disk_refuses_visits_whole_and_the_desk_goes_on_once_there_is_room(
    home: Home, clock: ManualClock
) -> None:
    """Database or journal, whichever meets the limit: no receipt is shown for what is not in both."""
    desk = WorkingDesk(home, clock)
    desk.enrol(1)
    services = desk.plan(1, 40)
    acknowledged = [desk.visit(1, service) for service in services[:5]]
    longest = max(path.stat().st_size for path in home.root.rglob("*") if path.is_file())
    refused = 0
    _may_grow_to(longest + 6_000)
    for service in services[5:20]:
        try:
            acknowledged.append(desk.visit(1, service))
        except (DiskFull, DiskFailing):  # SQLite calls a file that may not grow an I/O error
            refused += 1
    assert refused
    _may_grow_to(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    desk.close()
    desk = WorkingDesk(home, clock)
    desk.check_everything(tuple(acknowledged))
    done = {service.service for service in desk.records.services.on(clock.moment().wall.date()) if service.event}
    assert len(done) <= len(acknowledged) + 1, "at most the visit whose journal line did not fit is unacknowledged"
    acknowledged += [desk.visit(1, service) for service in services if service not in done]
    desk.check_everything(tuple(acknowledged))
    desk.close()
