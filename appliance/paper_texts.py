"""The words of a receipt on paper, and of printing it. All of them are in `texts.toml`."""

from enum import StrEnum

from appliance.texts import Language, said


class Paper(StrEnum):
    """One line."""

    NUMBER = "number"
    CONFIRMED_AT = "confirmed_at"
    STARTS_AT = "starts_at"
    CHECK = "check"
    UNSIGNED = "unsigned"
    TRAINING = "training"
    PRINTING = "printing"
    HANDED_OVER = "handed_over"
    NO_PRINTER = "no_printer"
    FAILED = "failed"


def paper_text(line: Paper, language: Language, **parts: str) -> str:
    """A line in a language; parts: what its placeholders stand for."""
    return said("paper", line.value, language, **parts)
