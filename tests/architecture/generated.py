"""The generated parts of ARCHITECTURE.md: written with `make docs`, compared by test_documents.py."""

from collections.abc import Callable, Mapping

from appliance.core.session import diagram
from tests.architecture.source import ROOT, Module, modules

DOCUMENT = ROOT / "ARCHITECTURE.md"


def _row(module: Module) -> str:
    return f"| `{module.path}` | {module.summary.replace('|', '/')} |"


def module_table() -> str:
    """One row per module: its path and the first sentence of its docstring."""
    rows = [_row(m) for m in modules() if not m.path.endswith("__init__.py")]
    return "\n".join(["| module | what it owns |", "| --- | --- |", *rows])


def state_diagram() -> str:
    """The visit's table as a Mermaid diagram."""
    return f"```mermaid\n{diagram().strip()}\n```"


SECTIONS: Mapping[str, Callable[[], str]] = {"modules": module_table, "state-diagram": state_diagram}
"""Name of a section, between `<!-- name:begin -->` and `<!-- name:end -->`, and what belongs into it."""


def _borders(document: str, section: str) -> tuple[int, int]:
    begin = document.index(f"<!-- {section}:begin -->") + len(f"<!-- {section}:begin -->")
    return begin, document.index(f"<!-- {section}:end -->", begin)


def written(document: str, section: str) -> str:
    """What stands between a section's markers. Raises ValueError where a marker is missing."""
    begin, end = _borders(document, section)
    return document[begin:end].strip()


def write() -> None:
    """Put the present state of every section into ARCHITECTURE.md."""
    document = DOCUMENT.read_text(encoding="utf-8")
    for section, generate in SECTIONS.items():
        begin, end = _borders(document, section)
        document = f"{document[:begin]}\n{generate()}\n{document[end:]}"
    DOCUMENT.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    write()
