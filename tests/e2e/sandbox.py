"""A service's unit file as a sandbox of bubblewrap: what systemd would forbid the process is forbidden to it here.

Translated: network, devices, read-only system, closed and writable paths, private /tmp, credentials, an empty set of
capabilities. The rest of a unit (system calls, users) is judged by `systemd-analyze security`.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from sync.sealed_keys import open_credential

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "firmware_notes" / "systemd"
PLACE = "/var/lib/keldim"

NOBODY = ("--unshare-user", "--uid", "1000", "--gid", "1000")
"""For what refuses to run as root, as cage does."""


@dataclass(frozen=True)
class Unit:
    """One unit file, for a desk that lies elsewhere. settings: of [Service], each as often as it is written."""

    name: str
    home: Path
    settings: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, name: str, home: Path) -> "Unit":
        """keldim-NAME.service."""
        section, found = "", []
        for line in (UNITS / f"keldim-{name}.service").read_text().splitlines():
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and not line.startswith("#"):
                key, _, value = line.partition("=")
                found.append((key, value.replace(PLACE, str(home))))
        return cls(name, home, tuple(found))

    def all(self, key: str) -> list[str]:
        """Every value of a setting, in order."""
        return [value for name, value in self.settings if name == key]

    def command(self, scratch: Path, *command: str) -> list[str]:
        """The command inside the sandbox. scratch: for the credentials, outside the home."""
        assert self.all("ProtectSystem") == ["strict"]
        assert self.all("DevicePolicy") == ["closed"]
        sandbox = ["bwrap", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        if self.all("PrivateTmp") == ["yes"]:
            sandbox += ["--tmpfs", "/tmp"]  # noqa: S108 - the sandbox's own
        sandbox += ["--ro-bind", str(ROOT), str(ROOT)]  # the program itself, should it lie in /tmp
        for path in self.all("ReadWritePaths"):
            sandbox += ["--bind", path, path]
        for path in (path.removeprefix("-") for path in self.all("InaccessiblePaths")):
            if Path(path).is_dir():
                sandbox += ["--perms", "0000", "--tmpfs", path]
            elif Path(path).exists():
                sandbox += ["--ro-bind", "/dev/null", path]
        if self.all("PrivateNetwork") == ["yes"]:
            sandbox += ["--unshare-net"]
        if self.all("CapabilityBoundingSet") == [""]:
            sandbox += ["--cap-drop", "ALL"]  # without them a mode binds root as well
        for value in self.all("LoadCredentialEncrypted"):
            sandbox += self._credentials(scratch, *value.split(":"))
        return [*sandbox, "--chdir", str(ROOT), *command]

    def _credentials(self, scratch: Path, prefix: str, folder: str) -> list[str]:
        """What systemd puts before the service: each file of the folder, opened, as PREFIX_FILE."""
        given = scratch / self.name
        given.mkdir(exist_ok=True)
        for path in Path(folder).iterdir():
            name = f"{prefix}_{path.name}"
            (given / name).write_bytes(open_credential(name, path.read_bytes()))
        inside = "/tmp/credentials"  # noqa: S108 - the sandbox's own
        return ["--ro-bind", str(given), inside, "--setenv", "CREDENTIALS_DIRECTORY", inside]


def may_sandbox() -> None:
    """Fail, with the reason, where bubblewrap can make no namespaces: a skipped wall would look like one."""
    done = subprocess.run(["bwrap", "--unshare-net", "--ro-bind", "/", "/", "true"], check=False)
    assert done.returncode == 0, "bubblewrap cannot make namespaces here: root, or user namespaces, are needed"
