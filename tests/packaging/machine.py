"""A root of its own for dpkg, and what a release in it is filled with: packages that this environment has.

They were installed by the lock; nothing is fetched from the registry.
"""

import os
import shutil
import subprocess
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from firmware_notes.debian.payload import PACKAGES
from firmware_notes.debian.source import ROOT

LOCK = ROOT / "requirements/runtime.lock"


def locked() -> dict[str, str]:
    """Name to version of every package that the lock asks for on this machine."""
    lines = (line.removesuffix("\\") for line in LOCK.read_text().splitlines() if line[:1] not in {"#", " ", ""})
    asked = [Requirement(line) for line in lines]
    return {one.name: str(one.specifier).removeprefix("==") for one in asked if not one.marker or one.marker.evaluate()}


def taken(folder: Path, names: Collection[str], without: AbstractSet[str] = frozenset()) -> None:
    """Put packages, in the version of the lock, into a release: what their RECORD names. without: folders left out.

    Copies, not links: a build sets modes and times.
    """
    versions = locked()
    for name in names:
        found = distribution(name)
        assert versions[name] == found.version, f"{name} is not as locked"
        for path in found.files or ():
            if not ({"..", "__pycache__"} | without) & set(path.parts):
                place = folder / PACKAGES / path
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(path.locate()), place)


@dataclass(frozen=True)
class Machine:
    """A root of its own, in which dpkg believes those packages installed that the tests' machine has."""

    root: Path

    @classmethod
    def fresh(cls, root: Path) -> "Machine":
        """Without Keldim; what it depends on is taken from this machine's own list."""
        (root / "var/lib/dpkg/info").mkdir(parents=True)
        (root / "var/lib/dpkg/updates").mkdir()
        (root / "etc").mkdir()
        window = (ROOT / "requirements/debian-window.txt").read_text().split("\n")
        names = {"python3", "systemd", "libc6", "libstdc++6", *(line for line in window if line[:1] not in {"#", ""})}
        here = Path("/var/lib/dpkg/status").read_text().split("\n\n")
        kept = [stanza for stanza in here if stanza.split("\n")[0].removeprefix("Package: ") in names]
        (root / "var/lib/dpkg/status").write_text("\n\n".join(kept) + "\n\n")
        return cls(root)

    def dpkg(self, *words: object) -> "subprocess.CompletedProcess[str]":
        """Dpkg on this root; its scripts get DPKG_ROOT, and run outside of it."""
        command = ["dpkg", f"--root={self.root}", "--force-script-chrootless,unsafe-io,not-root", "--no-debsig"]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [*command, f"--log={self.root}/dpkg.log", *map(str, words)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, debs: Sequence[Path]) -> str:
        """Both packages; gives what was said."""
        done = self.dpkg("--install", *debs)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def guard(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """The guard as it was installed."""
        command = [str(self.root / "usr/sbin/keldim-release"), "--root", str(self.root), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})

    def keldim(self, *words: str, command: str = "keldim", **given: str) -> "subprocess.CompletedProcess[str]":
        """A command as it was installed, where /opt is this root's and everything else read-only.

        given: of the environment; the root itself is /mnt there.
        """
        sandbox = [
            "bwrap",
            "--die-with-parent",
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--bind",
            str(self.root),
            "/mnt",
        ]
        sandbox += [
            "--bind",
            str(self.root / "opt"),
            "/opt",
            "--chdir",
            "/mnt",
            "sh",
            f"/mnt/usr/bin/{command}",
            *words,
        ]
        environment = {"PATH": "/usr/bin:/bin", **given}
        return subprocess.run(sandbox, capture_output=True, text=True, check=False, env=environment)

    @property
    def in_use(self) -> str:
        """The release that the link leads to."""
        assert (self.root / "opt/keldim/current/release.json").is_file()
        return (self.root / "opt/keldim/current").resolve().name

    def copied(self, root: Path) -> "Machine":
        """The same in another place, by hard links: dpkg and the guard replace files, they do not write into them."""
        shutil.copytree(self.root, root, symlinks=True, copy_function=os.link)
        return Machine(root)
