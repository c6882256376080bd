"""What a folder may hold after a power cut at any instant of a run that makes, renames and removes files.

Stricter than a file system with a journal: each change of a name that was made since its folder was last synced is
there or is not, by chance and each for itself; so is each write since its file was last synced, or a part of it. The
run is recorded by strace. Databases, which write in place, are simulated by `powercut`.
"""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_CALLS = "openat,open,write,fsync,ftruncate,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat"


@dataclass(frozen=True)
class Made:
    """A new, empty file or a folder under a name. file: its number; None: a folder."""

    path: str
    file: int | None


@dataclass(frozen=True)
class Renamed:
    """A name became another."""

    path: str
    to: str


@dataclass(frozen=True)
class Removed:
    """A name was taken away."""

    path: str


@dataclass(frozen=True)
class Written:
    """Bytes were appended to a file."""

    file: int
    content: bytes


@dataclass(frozen=True)
class Synced:
    """A file, by number, or the names in a folder, by path, are on the disk."""

    what: int | str


@dataclass(frozen=True)
class Said:
    """A line on stdout: from here on somebody relies on it."""

    line: str


Step = Made | Renamed | Removed | Written | Synced | Said


def record(folder: Path, module: str, *arguments: str) -> list[Step]:
    """Run a module under strace; its steps below `folder`."""
    trace = folder.with_name("names-trace")
    command = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={_CALLS}", "-o", str(trace)]
    subprocess.run([*command, sys.executable, "-m", module, *arguments], check=True, stdout=subprocess.DEVNULL)
    reader = _Reader(str(folder))
    with trace.open(encoding="ascii") as lines:
        return [step for line in lines for step in reader.read(line)]


def _text(quoted: str) -> str:
    return bytes.fromhex(quoted.replace("\\x", "")).decode() if "\\x" in quoted else quoted


@dataclass
class _Reader:
    """Turns lines of strace into steps. files: number of the file under each name."""

    folder: str
    files: dict[str, int] = field(default_factory=dict)
    made: int = 0

    def read(self, line: str) -> Iterator[Step]:
        """The steps of one call."""
        call = re.match(r"\d+\s+(\w+)\((.*)\)\s+= (-?\d+)", line)
        if call is None or int(call[3]) < 0:
            return
        name, text = call[1], call[2]
        if name == "write" and text.startswith("1<"):
            said = bytes.fromhex("".join(re.findall(r'"(.*)"', text)).replace("\\x", "")).decode()
            yield from (Said(each) for each in said.splitlines())
        elif name in ("write", "fsync", "ftruncate"):
            yield from self._on_handle(name, text)
        else:
            yield from self._on_names(name, text)

    def _on_handle(self, name: str, text: str) -> Iterator[Step]:
        found = re.match(r"\d+<([^>]*)>", text)
        path = _text(found[1]) if found else ""
        if not path.startswith(self.folder) or path.endswith(".lock"):
            return
        assert name != "ftruncate", "cutting a file is not simulated"
        if name == "fsync":
            yield Synced(self.files.get(path, path))
        else:
            written = re.search(r'"(.*)"', text)
            yield Written(self.files[path], bytes.fromhex(written[1].replace("\\x", "")) if written else b"")

    def _on_names(self, name: str, text: str) -> Iterator[Step]:
        paths = [path for path in self._paths(text) if path.startswith(self.folder) and not path.endswith(".lock")]
        if not paths:
            return
        if name in ("openat", "open"):
            if "O_CREAT" in text and (paths[0] not in self.files or "O_TRUNC" in text):
                self.made += 1
                self.files[paths[0]] = self.made
                yield Made(paths[0], self.made)
        elif name.startswith("rename"):
            self.files[paths[1]] = self.files.pop(paths[0])
            yield Renamed(paths[0], paths[1])
        elif name.startswith("mkdir"):
            yield Made(paths[0], None)
        else:
            self.files.pop(paths[0], None)
            yield Removed(paths[0])

    @staticmethod
    def _paths(text: str) -> Iterator[str]:
        for folder, quoted in re.findall(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:\\x[0-9a-f]{2})*)"', text):
            yield str(PurePosixPath(_text(folder) if folder else "/") / _text(quoted))


class Disk:
    """What the steps leave."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps

    def after(self, count: int, chance: random.Random) -> tuple[dict[str, bytes | None], list[str]]:
        """What lies there after so many steps and a power cut: content by name (None: a folder), and what was said."""
        steps = self._steps[:count]
        contents = self._contents(steps, chance)
        names: dict[str, int | None] = {}
        for place, step in enumerate(steps):
            if isinstance(step, Made | Renamed | Removed) and (
                self._kept(step, steps[place:]) or chance.random() < 0.5
            ):
                self._apply(step, names)
        whole = {path: None if file is None else contents.get(file, b"") for path, file in names.items()}
        return whole, [step.line for step in steps if isinstance(step, Said)]

    @staticmethod
    def _kept(step: Made | Renamed | Removed, rest: list[Step]) -> bool:
        path = step.to if isinstance(step, Renamed) else step.path
        return Synced(str(PurePosixPath(path).parent)) in rest

    @staticmethod
    def _apply(step: Made | Renamed | Removed, names: dict[str, int | None]) -> None:
        if isinstance(step, Made):
            names[step.path] = step.file
        elif isinstance(step, Removed):
            names.pop(step.path, None)
        elif step.path in names:
            names[step.to] = names.pop(step.path)

    @staticmethod
    def _contents(steps: list[Step], chance: random.Random) -> dict[int, bytes]:
        contents: dict[int, bytes] = {}
        for place, step in enumerate(steps):
            if isinstance(step, Written):
                content = step.content
                if Synced(step.file) not in steps[place:]:
                    content = chance.choice([content, content[: len(content) // 2], b"\0" * len(content), b""])
                contents[step.file] = contents.get(step.file, b"") + content
        return contents
