"""Takes out of a text every word that this program did not write itself.

For what leaves the clinic. Nobody can list all names, so nothing is looked for: a word stays only if it stands in the
program's own source, a number only if it is short and alone. Which texts leave is `support`'s.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

GONE = "▒"
"""Stands for each word or number that was taken out."""

_PACKAGES = ("appliance", "models", "sync", "kiosk_ui")
_NOT_OURS = frozenset({"demo", "recipes", "bench"})
"""Folders whose words are no vocabulary: the invented patients of the demonstration, and texts of others."""

_LONGEST_NUMBER = 5
"""Digits: counts, ports, line numbers. Half an IIN, a birthday without dots and a telephone number are longer."""

_MOST_NUMBERS, _MOST_DIGITS = 3, 7
"""Of numbers with nothing but signs between them: 1280 x 720 is written with a letter, a size and a share are fewer."""

_SHOWN_OF_HEX = 8
"""Of a digest or id: enough to find it again where one has it, nothing of a key."""

_PICTURE = re.compile(r"[\w/.-]+\.(?:png|jpe?g)")
"""Files of pictures are called after who is in them."""

_SOURCE_WORD = re.compile(r"[A-Za-z]+|[A-Za-z][A-Za-z0-9]+")
_TOKEN = re.compile(
    r"(?P<given>\w+://\S+|(?<!\w)'[^'\n]*'(?!\w))"  # an address, or a value in a message: whatever its words are
    r"|(?P<hex>(?<!\w)(?=[0-9]*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{12})(?!\w))"
    r"|(?P<usb>(?<![\w:])[0-9a-f]{4}:[0-9a-f]{4}(?!\w|:\w))"
    r"|(?P<numbers>(?<!\w)[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?:[\s,;.:/()+\[\]-]+\d+(?:\.\d+)?(?:e[-+]?\d+)?)+(?!\w))"
    r"|(?P<word>\w+)"
)
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@cache
def program_words() -> frozenset[str]:
    """Every word of the program's source, in small letters; only Latin ones."""
    root = Path(__file__).parents[1]
    words: set[str] = set()
    for package in _PACKAGES:
        for path in (root / package).rglob("*.py"):
            if not _NOT_OURS & set(path.relative_to(root).parts):
                text = _PICTURE.sub(" ", path.read_text(encoding="utf-8"))
                words.update(word.lower() for word in _SOURCE_WORD.findall(text))
    return frozenset(words)


class Scrubber:
    """Scrubs texts. A name that is also a word of the program goes too, where the name is known."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """names: of people whom this desk knows."""
        known = {part for name in names for part in re.findall(r"\w+", name.lower())}
        self._words = program_words() - known

    def text(self, text: str) -> str:
        """The text without what is not the program's. Layout, punctuation and short numbers stay."""
        return _TOKEN.sub(self._kept, text)

    def _kept(self, found: re.Match[str]) -> str:
        token = found.group()
        if found["given"]:
            return GONE
        if found["hex"]:
            return token[:_SHOWN_OF_HEX] + "…"
        if found["usb"]:
            return token
        if found["numbers"]:
            return token if self._few(token) else GONE
        if token.isascii() and token.isdigit():
            return token if len(token) <= _LONGEST_NUMBER else GONE
        return token if token.isascii() and self._ours(token) else GONE

    @staticmethod
    def _few(numbers: str) -> bool:
        """Whether numbers in a row are neither one number in groups, nor a date, nor part of a vector."""
        digits = re.findall(r"\d+", numbers)
        dated = re.search(r"\d[-./]\d+[-./]\d", numbers)
        return len(digits) <= _MOST_NUMBERS and sum(map(len, digits)) <= _MOST_DIGITS and not dated

    def _ours(self, token: str) -> bool:
        """Whether each part of an identifier is a word of the program."""
        for part in filter(None, token.split("_")):
            pieces = [part] if part.lower() in self._words else _CAMEL.findall(part)
            if "".join(pieces) != part or not all(piece.lower() in self._words for piece in pieces):
                return False
        return True
