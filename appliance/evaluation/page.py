"""The report as one HTML page that needs nothing else: tables, pictures, and what is refused to be claimed.

The pictures are drawn by `plots`, the tables made by `tables`; nothing is computed here.
"""

import importlib.resources
from collections.abc import Mapping
from html import escape
from string import Template

from appliance.evaluation.results import Evaluation
from appliance.evaluation.tables import Table, tables
from appliance.evaluation.wording import accepted, percent, written


def page(found: Evaluation, pictures: Mapping[str, tuple[str, ...]]) -> str:
    """The page. pictures: SVG elements by the key of the table they stand beside."""
    template = Template(importlib.resources.files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    return template.substitute(
        pack=escape(found.pack),
        measured=escape(found.measured),
        program=escape(found.program),
        facts=_facts(found),
        key="\n".join(
            f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in key_figures(found)
        ),
        refused="\n".join(f"<li>{escape(line)}</li>" for line in found.refused)
        or "<li>Nothing that was asked for.</li>",
        sections="\n".join(_section(table, pictures.get(table.key, ())) for table in tables(found)),
    )


def _facts(found: Evaluation) -> str:
    calibration = found.calibration
    whose = "none"
    if calibration is not None:
        whose = "fitted to these very pictures" if found.own else f"the pack's own, of {calibration.measured}"
    facts = {
        "Pack": f"{found.pack}, version {found.pack_version}",
        "Digest": found.digest,
        "Program": found.program,
        "Date": found.measured,
        "Policy": found.policy,
        "Calibration": whose,
        "Sets": ", ".join(f"{c.name} ({c.pictures:,} pictures)" for c in found.counts),
    }
    return "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())


def key_figures(found: Evaluation) -> list[tuple[str, str]]:
    """The figures that a reader looks for first: (what it is, value)."""
    figures = [
        (f"right on {p.cohort}'s standard pairs", percent(p.accuracy.mean))
        for p in found.pairs
        if p.accuracy is not None
    ]
    for p in found.pairs:
        at = next((row for row in p.targets if row.target == 1e-3), None)
        if at is not None and at.point is not None:
            figures.append((f"{p.cohort}: genuine pairs accepted at FMR 1e-3", accepted(at.point.fnmr)))
    for s in found.searches:
        for row in [r for r in s.rows if r.rows and r.setting.gallery >= 200][-1:]:
            rate = next((at.fnir for at in row.rows if at.fpir == 0.01), None)
            if rate is not None:
                looks = f"{row.setting.looks} looks, {row.setting.frames} frames"
                figures.append(
                    (f"{s.cohort}: FNIR at FPIR 1 %, {row.setting.gallery:,} enrolled, {looks}", written(rate))
                )
    if found.attacks is not None:
        figures += [(f"{g.name}: attacks judged live", written(g.live)) for g in found.attacks.groups if g.attack]
    return figures


def _section(table: Table, pictures: tuple[str, ...]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    body = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in table.rows
    )
    drawn = "\n".join(f"<figure>{picture}</figure>" for picture in pictures)
    return (
        f'<section id="{table.key}">\n<h2>{escape(table.title)}</h2>\n{drawn}\n<div class="scroll"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>\n"
        f'<p class="note">{escape(table.note)}</p>\n</section>'
    )
