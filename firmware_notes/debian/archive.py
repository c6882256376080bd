"""Makes a Debian package of a folder: control files, sums, equal modes and times, and always the same bytes.

What is in the folder is left to `contents` and `payload`.
"""

import gzip
import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware_notes.debian.source import Source, Unbuildable


@dataclass(frozen=True, slots=True)
class Package:
    """name to relations: fields of the control file. scripts: of the maintainer, by name. conffiles: paths."""

    name: str
    architecture: str
    summary: str
    description: str
    relations: Mapping[str, str]
    scripts: Mapping[str, str]
    conffiles: tuple[str, ...] = ()


def build(package: Package, tree: Path, source: Source, out: Path, level: int) -> Path:
    """Pack what is in the tree; gives the archive's path. level: of zstd, 1 is quick, 19 small. Raises Unbuildable."""
    control = tree / "DEBIAN"
    sums = "".join(f"{_md5(path)}  {path.relative_to(tree)}\n" for path in _files(tree))
    size = sum(path.stat().st_size for path in _files(tree))
    control.mkdir()
    (control / "control").write_text(_control(package, source, size // 1024))
    (control / "md5sums").write_text(sums)
    if package.conffiles:
        (control / "conffiles").write_text("".join(f"{name}\n" for name in package.conffiles))
    for name, text in package.scripts.items():
        (control / name).write_text(text.replace("@VERSION@", source.version))
        (control / name).chmod(0o755)
    _level_out(tree, source.epoch)
    out.mkdir(parents=True, exist_ok=True)
    archive = out / f"{package.name}_{source.version}_{package.architecture}.deb"
    # A fixed number of threads: the compressed bytes would follow the machine's.
    command = ["dpkg-deb", "--root-owner-group", "--threads-max=2", "-Zzstd", f"-z{level}", "--build"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(source.epoch), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [*command, str(tree), str(archive)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unbuildable(f"dpkg-deb: {done.stderr.strip()}")
    return archive


def compressed(text: str) -> bytes:
    """For documents and pages of the manual, without a time."""
    return gzip.compress(text.encode(), 9, mtime=0)


def _control(package: Package, source: Source, kilobytes: int) -> str:
    fields = {
        "Package": package.name,
        "Version": source.version,
        "Architecture": package.architecture,
        "Maintainer": "The Keldim authors <packages@keldim.invalid>",
        "Installed-Size": str(kilobytes),
        **package.relations,
        "Section": "misc",
        "Priority": "optional",
        "Description": package.summary,
    }
    lines = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return lines + "".join(f" {line or '.'}\n" for line in package.description.splitlines())


def _files(tree: Path) -> Iterator[Path]:
    """Every file that is one, in the order of the names."""
    for folder, folders, names in os.walk(tree):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            if not path.is_symlink():
                yield path


def _md5(path: Path) -> str:
    """What `dpkg --verify` compares; against accidents, not against people."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _level_out(tree: Path, epoch: int) -> None:
    """Modes 0755 and 0644, whoever built it, and one time for everything."""
    for folder, folders, names in os.walk(tree):
        for path in (Path(folder) / name for name in (*folders, *names)):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            os.utime(path, (epoch, epoch), follow_symlinks=False)
    tree.chmod(0o755)
    os.utime(tree, (epoch, epoch))
