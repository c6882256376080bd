"""Writes measured figures into a pack's model card, between two marks; the rest of the card is people's.

The figures come from `tables`; the card belongs to the pack's recipe.
"""

from appliance.core.errors import CardUnmarked
from appliance.evaluation.results import Evaluation
from appliance.evaluation.tables import Table, tables

BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"
SHOWN = ("sets", "accuracy", "pairs", "apart", "observed", "cross", "searches", "bona-fide", "attacks", "end-to-end")


def with_figures(card: str, found: Evaluation) -> str:
    """The card with its figures replaced. Raises CardUnmarked when the two marks are not there, once each, in order."""
    if card.count(BEGIN) != 1 or card.count(END) != 1 or card.index(END) < card.index(BEGIN):
        raise CardUnmarked(f"the card has no place for figures between {BEGIN} and {END}")
    before, rest = card.split(BEGIN)
    return f"{before}{BEGIN}\n{figures(found)}\n{END}{rest.split(END)[1]}"


def figures(found: Evaluation) -> str:
    """The figures as Markdown."""
    shown = {table.key: table for table in tables(found)}
    lines = [f"Measured on {found.measured} with `keldim evaluate` of {found.program}. Intervals are of 95 %."]
    lines += [_markdown(shown[key]) for key in SHOWN if key in shown]
    if found.refused:
        lines.append(
            "Not claimed, since the pictures do not support it:\n\n" + "\n".join(f"- {r}" for r in found.refused)
        )
    return "\n\n".join(lines)


def _markdown(table: Table) -> str:
    rows = [table.columns, ("---",) * len(table.columns), *table.rows]
    body = "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows)
    return f"**{table.title}.** {table.note}\n\n{body}"
