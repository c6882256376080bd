"""What a disk may hold after a power cut at any instant of a recorded run; the run is recorded by strace.

What was synced is there. Each 512-byte sector written since the last sync of its file is there or is not, by chance; a
file's new length may be lost; a new name is there for certain once its folder, or a file system's journal through a
sync of the file itself, was written (a name whose file was never synced may be missing).
"""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_CALLS = "openat,close,pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename,linkat,link"


@dataclass(frozen=True)
class Write:
    """Bytes into a file, from an offset on."""

    path: str
    offset: int
    content: bytes


@dataclass(frozen=True)
class Sync:
    """A file is on the disk."""

    path: str


@dataclass(frozen=True)
class Cut:
    """A file has got this length."""

    path: str
    size: int


@dataclass(frozen=True)
class Gone:
    """A name was taken away."""

    path: str


@dataclass(frozen=True)
class Said:
    """A line on stdout: from here on somebody relies on it."""

    line: str


Step = Write | Sync | Cut | Gone | Said


def record(folder: Path, module: str, *arguments: str) -> list[Step]:
    """Run a module under strace; its steps on the files below `folder`."""
    trace = folder.with_name("trace")
    command = ["strace", "-f", "-xx", "-s", "1000000", "-e", f"trace={_CALLS}", "-o", str(trace)]
    subprocess.run(
        [*command, sys.executable, "-m", module, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    return list(_Reader(str(folder)).read(trace))


@dataclass
class _Reader:
    """Turns lines of strace into steps. sizes: length of each file so far, for appended writes."""

    folder: str
    names: dict[int, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def read(self, trace: Path) -> Iterator[Step]:
        """Every step of a trace."""
        with trace.open(encoding="ascii") as lines:
            for line in lines:
                call = re.match(r"\d+\s+(\w+)\((.*)\)\s+= (-?\d+)", line)
                if call is None:
                    assert "unfinished" not in line, "one thread: no call is interrupted by another"
                    continue
                if int(call[3]) >= 0:
                    yield from self._step(call[1], call[2], int(call[3]))

    def _step(self, name: str, text: str, result: int) -> Iterator[Step]:
        texts = [bytes.fromhex(part.replace("\\x", "")) for part in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', text)]
        if name == "openat":
            self._open(texts[0].decode(), result)
            return
        if name in ("unlink", "rename", "link", "linkat"):
            path = texts[0].decode()
            if path.startswith(self.folder) and not path.endswith("-shm"):
                assert name == "unlink", f"{name} of {path} is not simulated"
                self.sizes.pop(path, None)
                yield Gone(path)
            return
        handle = int(text.split(",", maxsplit=1)[0])
        if name == "write" and handle == 1:
            yield from (Said(line) for line in texts[0].decode().splitlines())
        elif handle in self.names:
            yield from self._on_file(name, self.names[handle], text, texts)
        if name == "close":
            self.names.pop(handle, None)

    def _open(self, path: str, handle: int) -> None:
        self.names.pop(handle, None)
        if path.startswith(self.folder) and not path.endswith(("-shm", "/counter")):
            self.names[handle] = path

    def _on_file(self, name: str, path: str, text: str, texts: list[bytes]) -> Iterator[Step]:
        size = self.sizes.get(path, 0)
        if name in ("pwrite64", "write"):
            offset = int(text.rsplit(",", 1)[1]) if name == "pwrite64" else size
            self.sizes[path] = max(size, offset + len(texts[0]))
            yield Write(path, offset, texts[0])
        elif name in ("fsync", "fdatasync"):
            yield Sync(path)
        elif name == "ftruncate":
            self.sizes[path] = int(text.rsplit(",", 1)[1])
            yield Cut(path, self.sizes[path])


class Disk:
    """Follows the steps; tells at any time what a power cut would leave."""

    def __init__(self) -> None:
        self._synced: dict[str, bytearray] = {}
        self._pending: dict[str, list[Write]] = {}
        self.said: list[str] = []

    def follow(self, step: Step) -> None:
        """One step."""
        match step:
            case Said(line):
                self.said.append(line)
            case Write(path):
                self._pending.setdefault(path, []).append(step)
            case Sync(path):
                for write in self._pending.pop(path, []):
                    _put(self._synced.setdefault(path, bytearray()), write.offset, write.content)
            case Cut(path, size):  # metadata: in the file system's own journal, in order
                self.follow(Sync(path))
                del self._synced.setdefault(path, bytearray())[size:]
            case Gone(path):
                self._synced.pop(path, None)
                self._pending.pop(path, None)

    def after_cut(self, chance: random.Random) -> dict[str, bytes]:
        """Files as the next start finds them."""
        share = chance.choice([0.0, 0.5, 0.5, 0.9, 1.0])
        files = {path: bytearray(content) for path, content in self._synced.items()}
        for path, writes in self._pending.items():
            for write in writes:
                for start in range(0, len(write.content), SECTOR):
                    if chance.random() < share:
                        content = write.content[start : start + SECTOR]
                        _put(files.setdefault(path, bytearray()), write.offset + start, content)
        return {path: bytes(content) for path, content in files.items()}


def _put(file: bytearray, offset: int, content: bytes) -> None:
    if len(file) < offset:
        file.extend(bytes(offset - len(file)))
    file[offset : offset + len(content)] = content
