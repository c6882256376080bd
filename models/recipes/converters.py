"""The converters a recipe may name, each from the bytes of a source to the bytes of an ONNX file.

What each does, and how it tells another network, belongs to its module.
"""

from collections.abc import Callable, Mapping

from models.recipes import any_size, centerface, dlib_resnet, prelu

CONVERTERS: Mapping[str, Callable[[bytes], bytes]] = {
    "any-size": any_size.convert,
    "centerface": centerface.mend,
    "dlib-resnet": dlib_resnet.convert,
    "prelu": prelu.quicken,
}
"""The same input gives the same bytes, whatever the machine. All raise SourceUnusable for another network."""

EXACT = frozenset({"prelu"})
"""Those whose result is run against what they were given, on the golden pictures."""
