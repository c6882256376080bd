"""The memory of a process that holds keys: no core file, no tracing, no swap where that is allowed."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUARD = "from sync.memory import guard_memory; from dataclasses import asdict; import json, sys, os, signal;"


def _run(script: str, *limits: str) -> subprocess.CompletedProcess[str]:
    limited = ["prlimit", *limits] if limits else []
    command = [*limited, sys.executable, "-c", GUARD + script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_guarded_process_has_no_core_and_says_truly_whether_it_is_locked() -> None:
    """Locked where the limit is endless (as the units set it) and only there; the kernel's own figure agrees."""
    script = (
        "print(json.dumps(asdict(guard_memory())));"
        "print(next(l for l in open('/proc/self/status') if l.startswith('VmLck')).split()[1])"
    )
    done = _run(script)
    guarded, locked_kib = done.stdout.splitlines()
    endless = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    assert json.loads(guarded) == {"undumpable": True, "no_core": True, "locked": endless}
    assert (int(locked_kib) > 1000) == endless


def test_with_a_finite_limit_nothing_is_locked() -> None:
    """Else a later allocation would fail in the middle of a visit."""
    done = _run("print(json.dumps(asdict(guard_memory()))); bytearray(64 << 20)", "--memlock=65536:65536", "--core=0")
    assert json.loads(done.stdout) == {"undumpable": True, "no_core": True, "locked": False}
    assert done.returncode == 0


def test_a_crash_leaves_no_core() -> None:
    """The kernel's own word about the dead process: the bit for a core is not set."""
    child = subprocess.Popen([sys.executable, "-c", GUARD + "guard_memory(); os.kill(os.getpid(), 11)"], cwd=ROOT)
    status = os.waitpid(child.pid, 0)[1]
    child.returncode = -signal.SIGSEGV
    assert os.WTERMSIG(status) == signal.SIGSEGV
    assert not os.WCOREDUMP(status)
