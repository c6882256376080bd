"""The shape of the source: small modules and functions, plain names, no broad excepts, no stray clocks."""

import ast
import statistics

import pytest

from tests.architecture.source import Module, functions, modules

MODULE_LINES = 400
FUNCTION_LINES = 60
MEDIAN_LINES = 150
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "tools", "stuff"}

ALL = modules()
ids = [module.path for module in ALL]


@pytest.mark.parametrize("module", ALL, ids=ids)
def test_a_module_is_small(module: Module) -> None:
    """One idea fits into 400 lines, one step into 60."""
    assert module.text.count("\n") <= MODULE_LINES
    long = {f.name: (f.end_lineno or 0) - f.lineno + 1 for f in functions(module)}
    assert {name: lines for name, lines in long.items() if lines > FUNCTION_LINES} == {}


def test_most_modules_are_smaller_still() -> None:
    """The median module can be read in one sitting."""
    assert statistics.median(m.text.count("\n") for m in ALL if m.text.count("\n") > 5) <= MEDIAN_LINES


@pytest.mark.parametrize("module", ALL, ids=ids)
def test_a_name_says_what_it_is(module: Module) -> None:
    """A drawer called utils fills up."""
    assert not VAGUE & set(module.name.split("."))


@pytest.mark.parametrize("module", ALL, ids=ids)
def test_a_module_says_first_what_it_owns(module: Module) -> None:
    """The docstring's first sentence ends like one, and is one."""
    assert module.summary.endswith(".")
    assert 10 <= len(module.summary) <= 240


@pytest.mark.parametrize("module", [m for m in ALL if m.path.endswith("__init__.py")], ids=lambda m: m.path)
def test_a_package_marker_holds_a_docstring_only(module: Module) -> None:
    """Nothing is re-exported: a name has one address."""
    assert len(module.tree.body) == 1
    assert ast.get_docstring(module.tree)


def _broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {node.id for node in caught if isinstance(node, ast.Name)}
    return handler.type is None or bool(names & {"Exception", "BaseException", "KnownFailure"} - {"KnownFailure"})


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))


@pytest.mark.parametrize("module", [*ALL, *modules("tests")], ids=lambda m: m.path)
def test_no_failure_is_swallowed_unseen(module: Module) -> None:
    """`except Exception` stands nowhere, unless it only cleans up and raises again."""
    handlers = [node for node in ast.walk(module.tree) if isinstance(node, ast.ExceptHandler)]
    assert [h.lineno for h in handlers if _broad(h) and not _raises_again(h)] == []


def _imports(module: Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("module", [*ALL, *modules("tests")], ids=lambda m: m.path)
def test_nothing_of_ours_is_patched(module: Module) -> None:
    """Fakes implement the ports; a patched function is tested no more."""
    assert not {name for name in _imports(module) if name.startswith(("unittest.mock", "mock"))}


CLOCK_READS = {
    "now",
    "utcnow",
    "today",
    "time",
    "time_ns",
    "monotonic",
    "monotonic_ns",
    "perf_counter",
    "perf_counter_ns",
    "process_time",
    "sleep",
}


def _clock_reads(module: Module) -> list[str]:
    reads = []
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            owner, name = node.func.value.id, node.func.attr
            if owner in {"time", "datetime", "date"} and name in CLOCK_READS:
                reads.append(f"{owner}.{name} in line {node.lineno}")
    return reads


@pytest.mark.parametrize("module", [m for m in ALL if m.name != "sync.clock"], ids=lambda m: m.path)
def test_only_the_clock_reads_the_clock(module: Module) -> None:
    """Time is an argument: what needs it can be tested at any hour."""
    assert _clock_reads(module) == []
    assert "time" not in _imports(module)


@pytest.mark.parametrize("module", ALL, ids=ids)
def test_no_type_is_waved_through(module: Module) -> None:
    """`Any` would let a bare dict cross a module's border."""
    assert "typing.Any" not in _imports(module)
