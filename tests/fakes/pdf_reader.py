"""The text of a PDF as a reader finds it again: by each font's own map from glyphs to letters."""

import re
import zlib


def pdf_text(document: bytes) -> str:
    """All text in the order in which it was drawn, without white space; a glyph that maps to nothing is U+FFFD."""
    objects = {int(m[1]): m[2] for m in re.finditer(rb"(?:^|\n)(\d+) 0 obj\s(.*?)\sendobj", document, re.DOTALL)}
    fonts: dict[bytes, dict[int, str]] = {}
    for body in objects.values():
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", body):
            unicode = re.search(rb"/ToUnicode (\d+) 0 R", objects[int(number)])
            assert unicode, "a font without a way back to letters"
            fonts[name] = _letters(_stream(objects[int(unicode[1])]))
    found = []
    for body in objects.values():
        content = _stream(body)
        if b" Tf " not in content:
            continue
        letters: dict[int, str] = {}
        for font, glyphs in re.findall(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)> Tj", content):
            letters = fonts[font] if font else letters
            codes = (int(glyphs[at : at + 4], 16) for at in range(0, len(glyphs), 4))
            found += [letters.get(code) or "\ufffd" for code in codes]
    return re.sub(r"\s", "", "".join(found))


def _stream(body: bytes) -> bytes:
    _, begin, rest = body.partition(b"stream\n")
    if not begin:
        return b""
    content = rest.rpartition(b"\nendstream")[0]
    try:
        return zlib.decompressobj().decompress(content)
    except zlib.error:
        return content


def _letters(table: bytes) -> dict[int, str]:
    letters = {}
    for first, last, many, one in re.findall(rb"<(\w+)> <(\w+)> (?:\[([^\]]*)\]|<(\w+)>)", table):
        values = re.findall(rb"<(\w+)>", many) or [b"%04X" % (int(one, 16) + n) for n in range(0x10000)]
        for code, value in zip(range(int(first, 16), int(last, 16) + 1), values, strict=False):
            letters[code] = bytes.fromhex(value.decode()).decode("utf-16-be").strip("\0")
    return letters
