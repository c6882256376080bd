"""`make deb`: builds both packages into a folder, with their SHA-256 beside them."""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from firmware_notes.debian import archive, contents, payload
from firmware_notes.debian.source import ROOT, Source, Unbuildable, read_source, unsaved


def build(source: Source, out: Path, packages: payload.Packages, level: int) -> list[Path]:
    """Both packages of a source. Raises Unbuildable."""
    built = []
    with tempfile.TemporaryDirectory(prefix=".build-", dir=_made(out)) as scratch:
        tree = Path(scratch) / "release"
        built.append(archive.build(contents.release(_made(tree), source, packages), tree, source, out, level))
        tree = Path(scratch) / "shared"
        built.append(archive.build(contents.shared(_made(tree), source), tree, source, out, level))
    return built


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def main(arguments: Sequence[str] | None = None) -> int:
    """0 built; 1 it cannot be built here, with the reason."""
    parser = argparse.ArgumentParser(prog="make deb", description="Builds Keldim's Debian packages.")
    parser.add_argument("--out", type=Path, default=ROOT / "build/deb")
    parser.add_argument("--version", help="instead of pyproject's, to try an upgrade")
    parser.add_argument("--level", type=int, default=12, help="of zstd: 1 quick, 19 small")
    given = parser.parse_args(arguments)
    try:
        source = read_source(given.version)
        for line in unsaved():
            sys.stderr.write(f"not in the commit: {line}\n")
        built = build(source, given.out, payload.locked(ROOT / "requirements/runtime.lock"), given.level)
    except Unbuildable as why:
        sys.stderr.write(f"{why}\n")
        return 1
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in built)
    (given.out / f"SHA256SUMS-{source.version}").write_text(sums)
    sys.stdout.write(sums)
    return 0


if __name__ == "__main__":
    sys.exit(main())
