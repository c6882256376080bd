"""The project's own source as the architecture tests read it: files, syntax trees, tracked names."""

import ast
import functools
import importlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
PACKAGES = ("appliance", "models", "sync", "kiosk_ui")


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: dotted name, path from the root, text and syntax tree."""

    name: str
    path: str
    text: str
    tree: ast.Module

    @property
    def summary(self) -> str:
        """The first sentence of the docstring, in one line; empty without one."""
        first = (ast.get_docstring(self.tree) or "").split("\n\n")[0]
        return " ".join(first.split())


@functools.cache
def read(path: Path) -> Module:
    """One file of the project; read once, for several tests look at each."""
    relative = path.relative_to(ROOT)
    name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    text = path.read_text(encoding="utf-8")
    return Module(name, relative.as_posix(), text, ast.parse(text))


def modules(*folders: str) -> list[Module]:
    """Every module below these folders (default: the packages), sorted by path."""
    return [read(path) for folder in folders or PACKAGES for path in sorted((ROOT / folder).rglob("*.py"))]


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _built(part: str) -> bool:
    hidden = part.startswith(".") and part not in {".ci", ".gitignore"}
    return hidden or part in {"build", "dist", "__pycache__"} or part.endswith(".egg-info")


def tracked() -> list[Path]:
    """The project's text files: what git tracks, or, in an unpacked archive, everything but built things."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        names = [path for path in ROOT.rglob("*") if not any(_built(part) for part in path.relative_to(ROOT).parts)]
    return [path for path in names if path.is_file()]


_Kind = TypeVar("_Kind")


def subclasses(kind: type[_Kind]) -> list[type[_Kind]]:
    """Every class of the project below `kind`, by name. Imports all modules: only then do they show."""
    for module in modules():
        if not module.path.endswith("__main__.py"):
            importlib.import_module(module.name)  # noqa: TID251  # the names come from the tree itself
    found = {below for below in _below(kind) if below.__module__.split(".")[0] in PACKAGES}
    return sorted(found, key=lambda below: below.__qualname__)


def _below(kind: type[_Kind]) -> Iterator[type[_Kind]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)
