"""Writes the copyright files of the packages (DEP-5), from the project's NOTICE and from what each wheel says.

https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
"""

from importlib.metadata import Distribution, distributions
from pathlib import Path

from firmware_notes.debian.payload import PACKAGES
from firmware_notes.debian.source import ROOT

_HEAD = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Keldim
Comment:
{notice}

Files: *
Copyright: 2026 the Keldim authors
License: Apache-2.0

License: Apache-2.0
 On Debian systems its text is in /usr/share/common-licenses/Apache-2.0.
"""


def own() -> str:
    """For what this project wrote itself."""
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8").splitlines()
    return _HEAD.format(notice="\n".join(f" {line.strip() or '.'}" for line in notice))


def with_packages(folder: Path, place: str) -> str:
    """And for the packages of a release. place: where the release will be, without the first slash."""
    found = sorted(distributions(path=[str(folder / PACKAGES)]), key=lambda one: one.name.lower())
    return own() + "".join(_stanza(one, f"{place}/{PACKAGES}") for one in found if one.name != "keldim")


def _stanza(one: Distribution, place: str) -> str:
    tops = sorted({path.parts[0] for path in one.files or () if path.parts[0] not in {"..", "__pycache__"}})
    files = "\n ".join(f"{place}/{top}{'' if '.' in top and not top.endswith('.libs') else '/*'}" for top in tops)
    who = _said(one, "Author") or _said(one, "Author-email") or f"the authors of {one.name}"
    licence = _said(one, "License-Expression") or _classified(one) or "see-its-files"
    texts = sorted(
        str(path) for path in one.files or () if "licen" in path.name.lower() or "copying" in path.name.lower()
    )
    where = f"\n {place}/{texts[0]}" if texts else "\n Its text is in its source."
    return f"\nFiles: {files}\nCopyright: {who}\nLicense: {licence}{where}\n"


def _said(one: Distribution, field: str) -> str:
    return " ".join(" ".join(one.metadata.get_all(field) or ()).split())


def _classified(one: Distribution) -> str:
    """The last part of its classifiers, or a short licence field."""
    named = [
        line.rsplit(" :: ", 1)[-1] for line in one.metadata.get_all("Classifier") or () if line.startswith("License")
    ]
    field = _said(one, "License")
    return " or ".join(named) or (field if len(field) < 60 else "")
