"""Whatever holds a face, a number or a name shows nothing of it."""

import ast
import copy
import pickle
from collections.abc import Iterator

import pytest

from appliance.core.types import Sensitive
from tests.architecture.source import modules, subclasses

SENSITIVE = subclasses(Sensitive)


@pytest.mark.parametrize("kind", SENSITIVE)
def test_a_sensitive_value_shows_its_type_only(kind: type[Sensitive]) -> None:
    """repr, and with it every container's text and every assertion's message."""
    bare = object.__new__(kind)
    assert repr(bare) == f"<{kind.__name__} redacted>"
    assert str([bare]) == f"[<{kind.__name__} redacted>]"


@pytest.mark.parametrize("kind", SENSITIVE)
def test_a_sensitive_value_is_never_pickled(kind: type[Sensitive]) -> None:
    """Neither a pickle nor a copy by way of one leaves the process."""
    bare = object.__new__(kind)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(bare, protocol)
    with pytest.raises(TypeError, match="never pickled"):
        copy.deepcopy(bare)


PERSONAL = {"iin", "digits", "name", "first_name", "full_name", "surname", "vector", "landmarks", "pixels", "template"}
"""Fields that hold personal data wherever they stand in a dataclass of the desk, with a type as in `_HOLDS`."""

_HOLDS = ("NDArray", "Iin", "Embedding", "Frame", "Face", "PersonName")


def _fields(kind: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for node in kind.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, ast.unparse(node.annotation)


def _unguarded() -> Iterator[str]:
    sensitive = {kind.__name__ for kind in SENSITIVE}
    for module in modules("appliance"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and node.name not in sensitive:
                held = [name for name, kind in _fields(node) if name in PERSONAL and kind.split("[")[0] in _HOLDS]
                yield from (f"{module.name}.{node.name}.{name}" for name in held)


def test_a_class_that_holds_a_face_is_sensitive() -> None:
    """A dataclass with pixels, landmarks, a vector or an IIN among its fields inherits from Sensitive."""
    assert list(_unguarded()) == []
