"""Draws the curves of a report as SVG text; the only module that knows the plotting library.

Colours are Okabe and Ito's, told apart with any colour vision, and every line has its own dash as well. Which table
stands beside which picture is `page`'s business.
"""

import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import NormalDist

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from appliance.evaluation.results import Attacks, Evaluation, Observed, Pairs, Searches
from appliance.evaluation.wording import exponent, percent_of

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#8C6D00", "#56B4E9", "#333333")
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (1, 1)), (0, (8, 1, 1, 1, 1, 1)), "-")
_DARK, _DOTS = "#1a1a1a", (0, (1, 2))
_STYLE = Path(__file__).with_name("report.mplstyle")
_NORMAL = NormalDist()
_TICKS = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
_WIDTH = 8.0


def pictures(found: Evaluation, fpir: float = 0.01) -> dict[str, tuple[str, ...]]:
    """Every picture that has something to show, as SVG, by the key of the table it stands beside."""
    made: dict[str, tuple[str, ...]] = {}
    if found.pairs:
        made["pairs"] = (det(found.pairs), histograms(found.pairs, found.observed))
        made["discards"] = tuple(discards(pairs) for pairs in found.pairs if pairs.discards)
    shown = [s for s in found.searches if any(at.fpir == fpir and at.fnir for row in s.rows for at in row.rows)]
    if shown:
        made["searches"] = tuple(identification(searches, fpir) for searches in shown)
    if found.attacks is not None:
        made["attacks"] = (attacks(found.attacks),)
    return made


def det(cohorts: Sequence[Pairs]) -> str:
    """Detection error trade-off on normal-deviate axes (Martin et al. 1997), with bands and each set's 3/n limit."""
    return _drawn("det", "Detection error trade-off of each set, with 95 % bands", 5.6, lambda f: _det(f, cohorts))


def histograms(cohorts: Sequence[Pairs], observed: Sequence[Observed]) -> str:
    """Scores of the same and of different people, one row for each set, with the thresholds of the desk."""
    title = "Scores of the same person and of different people, with the desk's thresholds"
    height = 1.7 * len(cohorts) + 1.4
    return _drawn("histograms", title, height, lambda f: _histograms(f, cohorts, observed))


def identification(searches: Searches, fpir: float) -> str:
    """FNIR over the number of people enrolled, one line for each way of enrolling."""
    title = f"False negative identifications on {searches.cohort} by gallery size"
    return _drawn(f"fnir-{searches.cohort}", title, 3.8, lambda f: _identification(f, searches, fpir))


def discards(cohort: Pairs) -> str:
    """FNMR over the share of pairs discarded; the unified score in front of the best of the components."""
    title = f"Error versus discard on {cohort.cohort}"
    return _drawn(f"discard-{cohort.cohort}", title, 3.8, lambda f: _discards(f, cohort))


def attacks(found: Attacks) -> str:
    """Fused live scores of windows, living people above, attacks below, with the limits."""
    title = "Live scores of windows of attacks and of living people, with the limits"
    return _drawn("attacks", title, 0.8 * len(found.scores) + 1.0, lambda f: _attacks(f, found))


def _det(figure: Figure, cohorts: Sequence[Pairs]) -> None:
    axes = figure.add_subplot()
    lowest = min(3 / cohort.impostor for cohort in cohorts)
    for number, cohort in enumerate(cohorts):
        colour = COLOURS[number % len(COLOURS)]
        shown = [
            (point.fmr.value, point.fnmr.value, *band)
            for point, band in zip(cohort.curve.points, cohort.curve.band, strict=True)
            if point.fmr.value < 0.5 and point.fnmr.supported and point.fnmr.value < 0.6
        ]
        axes.axvline(_deviate(3 / cohort.impostor), color=colour, linewidth=1.2, linestyle=_DOTS)
        label = f"{cohort.cohort}: {cohort.people:,} people, {cohort.genuine:,} + {cohort.impostor:,} pairs"
        x, y, low, high = np.array([[_deviate(rate) for rate in row] for row in shown]).reshape(len(shown), 4).T
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(x, y, color=colour, linestyle=DASHES[number % len(DASHES)], linewidth=2, label=label)
    axes.axline((0, 0), slope=1, color="#999999", linewidth=0.8)
    ticks = [tick for tick in _TICKS if tick >= lowest / 3]
    axes.set_xticks([_deviate(tick) for tick in ticks], [_tick(tick) for tick in ticks])
    axes.set_xlim(_deviate(lowest / 2), _deviate(0.5))
    axes.set_yticks([_deviate(tick) for tick in _TICKS[3:]], [_tick(tick) for tick in _TICKS[3:]])
    axes.set_ylim(_deviate(2e-4), _deviate(0.6))
    axes.set_xlabel("False match rate (FMR)")
    axes.set_ylabel("False non-match rate (FNMR)")
    figure.legend(loc="outside upper left", title="Dotted upright lines: 3/n of each set", alignment="left")


def _tick(rate: float) -> str:
    return exponent(rate) if rate < 0.01 else f"{rate:g}"


def _deviate(rate: float) -> float:
    return _NORMAL.inv_cdf(min(max(rate, 1e-9), 0.7))


def _histograms(figure: Figure, cohorts: Sequence[Pairs], observed: Sequence[Observed]) -> None:
    rows = figure.subplots(len(cohorts), 1, sharex=True, squeeze=False)[:, 0]
    asked = {o.asked.purpose: o.asked.value for o in observed}
    for axes, cohort in zip(rows, cohorts, strict=True):
        shown = cohort.histogram
        for shares, colour, name in (
            (shown.impostor, COLOURS[1], "different people"),
            (shown.genuine, COLOURS[0], "same person"),
        ):
            heights = [100 * share for share in shares]
            axes.stairs(heights, shown.edges, fill=True, color=colour, alpha=0.35)
            axes.stairs(heights, shown.edges, color=colour, linewidth=1.4, label=name)
        for number, (purpose, value) in enumerate(asked.items()):
            label = f"threshold {value:.3f}: {purpose}"
            axes.axvline(value, color=_DARK, linewidth=1.3, linestyle=DASHES[number % len(DASHES)], label=label)
        axes.set_title(cohort.cohort)
        axes.set_ylabel("% of pairs")
    rows[-1].set_xlabel("Cosine similarity")
    figure.legend(*rows[0].get_legend_handles_labels(), loc="outside lower left", ncols=2)


def _identification(figure: Figure, searches: Searches, fpir: float) -> None:
    axes = figure.add_subplot()
    ways = sorted({(row.setting.looks, row.setting.frames) for row in searches.rows})
    sizes: set[int] = set()
    for number, way in enumerate(ways):
        rates = sorted(
            (row.setting.gallery, 100 * at.fnir.value, 100 * at.fnir.low, 100 * at.fnir.high)
            for row in searches.rows
            for at in row.rows
            if (row.setting.looks, row.setting.frames) == way and at.fpir == fpir and at.fnir is not None
        )
        if not rates:
            continue
        size, value, low, high = zip(*rates, strict=True)
        sizes.update(size)
        colour, looks = COLOURS[number % len(COLOURS)], f"{way[0]} enrolled {'looks' if way[0] > 1 else 'look'}"
        label = f"{looks}, {way[1]} {'frames' if way[1] > 1 else 'frame'} a probe"
        axes.fill_between(size, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(size, value, color=colour, linestyle=DASHES[number], linewidth=2, marker="o", label=label)
    axes.set_xscale("log")
    axes.set_xticks(sorted(sizes), [f"{size:,}" for size in sorted(sizes)])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("People enrolled")
    axes.set_ylabel(f"FNIR at FPIR {percent_of(fpir)}, %")
    figure.legend(loc="outside upper left", ncols=2)


def _discards(figure: Figure, cohort: Pairs) -> None:
    axes = figure.add_subplot()
    ranked = sorted(cohort.discards, key=lambda found: (found.measure != "unified", found.area))[: len(COLOURS)]
    for number, found in enumerate(ranked):
        front = found.measure == "unified"
        axes.plot(
            [100 * row.share for row in found.rows if row.fnmr.supported],
            [100 * row.fnmr.value for row in found.rows if row.fnmr.supported],
            color=COLOURS[number], linestyle=DASHES[number], linewidth=2.6 if front else 1.3, zorder=3 if front else 2,
            label=f"{found.measure.replace('_', ' ')} ({found.area:.2f})",
        )  # fmt: skip
    least = 100 * 3 / max(ranked[0].rows[-1].fnmr.trials, 1)
    axes.axhline(
        least, color="#777777", linewidth=1.2, linestyle=_DOTS, label="3/n of the pairs that are left; lines end there"
    )
    axes.set_title(cohort.cohort)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Genuine pairs discarded, worst quality first, %")
    axes.set_ylabel("FNMR, %")
    figure.legend(loc="outside right upper", title="measure (area; useless: 1)", alignment="left")


def _attacks(figure: Figure, found: Attacks) -> None:
    rows = figure.subplots(len(found.scores), 1, sharex=True, squeeze=False)[:, 0]
    for axes, shown in zip(rows, sorted(found.scores, key=lambda s: (s.attack, s.name)), strict=True):
        colour = COLOURS[1] if shown.attack else COLOURS[0]
        axes.stairs([100 * share for share in shown.shares], found.edges, fill=True, color=colour, alpha=0.8)
        axes.axvline(found.accept, color=_DARK, linewidth=1.4)
        axes.axvline(found.reject, color=_DARK, linewidth=1.4, linestyle=DASHES[2])
        axes.set_ylim(0, 105)
        axes.set_yticks([0, 100])
        axes.set_title(f"{'attack' if shown.attack else 'living'}: {shown.name}", fontsize=10)
    rows[-1].set_xlabel("Fused live score of a window; line: live from here on; dots: attack below")
    figure.supylabel("% of windows", fontsize=10.5)


def _drawn(name: str, title: str, height: float, draw: Callable[[Figure], None]) -> str:
    """The figure as one SVG element, with names of its own so that several fit into one page."""
    written = io.StringIO()
    with mpl.rc_context(fname=_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        draw(figure)
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
