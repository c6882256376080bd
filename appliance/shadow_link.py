"""Runs the process that watches visits with a new pack, and waits for each answer no longer than it may take.

A process that dies, hangs or talks nonsense is an answer about the pack, not a failure of the desk. What it computes is
`shadow_process`'s; when it is asked, `shadow`'s.
"""

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.core.shadow import Compared
from appliance.shadow_wire import Blame, Ready, Unopened, Visit, read_answer, write_visit
from models.slot_state import Fault

OPEN_S: Final = 180.0
VISIT_S: Final = 60.0
"""Seconds for opening and examining a pack, and for one visit. A hundred times what the builtin pack takes on a machine
that does nothing else: the process has the least priority, and may wait for others. Slowness of its own is measured in
processor time, by itself; these end what hangs."""

_MOST_LINE: Final = 1 << 16
_FAULTS: Final = {Blame.UNFIT.value: Fault.SELF_TEST, Blame.SLOW.value: Fault.SLOW}


@dataclass(frozen=True, slots=True)
class Broken:
    """The process answers no more. fault: of the pack; None where it is not to blame."""

    fault: Fault | None
    why: str


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds for opening and for one visit."""

    opening: float = OPEN_S
    visit: float = VISIT_S


def command(pack: Path, licences: Path, home: Path) -> tuple[str, ...]:
    """What to run for the pack in a folder. licences: where they were accepted. home: the desk's."""
    return (sys.executable, "-m", "appliance.shadow_process", str(pack), str(licences), str(home))


class ShadowLink:
    """One process. Used on one thread, which it may block; `kill` may be called from another."""

    def __init__(self, run: Sequence[str], monotonic: Callable[[], float], deadlines: Deadlines | None = None) -> None:
        """run: as `command` gives it. Raises OSError when no process can be started at all."""
        self._monotonic, self._deadlines = monotonic, deadlines or Deadlines()
        self._process = subprocess.Popen(  # noqa: S603 - our own module and our own paths
            run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        self._rest = b""

    def open(self) -> Ready | Broken:
        """Wait until the pack is open and examined."""
        said = self._ask((), self._deadlines.opening)
        if isinstance(said, Unopened):
            return Broken(_FAULTS.get(said.blame), said.why)
        return said if isinstance(said, Ready | Broken) else _nonsense()

    def compare(self, visit: Visit) -> Compared | Broken:
        """How the pack saw a visit."""
        said = self._ask(write_visit(visit), self._deadlines.visit)
        return said if isinstance(said, Compared | Broken) else _nonsense()

    def kill(self) -> None:
        """End the process, also while it is waited for."""
        self._process.kill()

    def close(self) -> None:
        """End the process and give its pipes back."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _ask(self, parts: Iterable[bytes], seconds: float) -> Ready | Unopened | Compared | Broken:
        until = self._monotonic() + seconds
        try:
            for part in parts:
                self._write(part, until)
            return read_answer(self._line(until))
        except TimeoutError:
            return Broken(Fault.SLOW, f"no answer in {seconds:g} s")
        except (EOFError, BrokenPipeError):
            return Broken(Fault.CRASHED, f"its process ended with {self._process.wait()}")
        except ValueError:
            return _nonsense()

    def _write(self, data: bytes, until: float) -> None:
        handle = self._process.stdin
        assert handle is not None  # noqa: S101 - a pipe, as it was asked for
        os.set_blocking(handle.fileno(), False)
        rest = memoryview(data)
        while rest:
            self._wait([], [handle.fileno()], until)
            rest = rest[os.write(handle.fileno(), rest) :]

    def _line(self, until: float) -> bytes:
        handle = self._process.stdout
        assert handle is not None  # noqa: S101 - a pipe, as it was asked for
        while b"\n" not in self._rest:
            self._wait([handle.fileno()], [], until)
            more = os.read(handle.fileno(), _MOST_LINE)
            if not more:
                raise EOFError
            self._rest += more
            if len(self._rest) > _MOST_LINE:
                raise ValueError("a line without end")
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _wait(self, readable: list[int], writable: list[int], until: float) -> None:
        left = until - self._monotonic()
        if left <= 0 or not any(select.select(readable, writable, [], left)):
            raise TimeoutError


def _nonsense() -> Broken:
    return Broken(Fault.CRASHED, "its process answers nonsense")
