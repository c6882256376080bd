"""The results as tables of text, for the report, the terminal and a pack's card.

How a rate is written is `wording`'s; pictures are `plots`'.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.evaluation.attacks import Verdicts
from appliance.evaluation.rates import TARGETS, AtTarget
from appliance.evaluation.results import Evaluation, Pairs
from appliance.evaluation.wording import accepted, count, exponent, limit, percent, percent_of, share, written

NOT_SUPPORTED = "not supported"


@dataclass(frozen=True, slots=True)
class Table:
    """key: names the place in the report. note: what has to be known to read it."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def tables(found: Evaluation) -> tuple[Table, ...]:
    """Every table that has rows."""
    made = (
        _sets(found), _accuracy(found), _pairs(found), _apart(found), _observed(found), _cross_checked(found),
        _searches(found), _discards(found), _bona_fide(found), _attacks(found), _end_to_end(found),
    )  # fmt: skip
    return tuple(table for table in made if table.rows)


def _sets(found: Evaluation) -> Table:
    return Table(
        "sets",
        "Pictures and failures to acquire",
        ("set", "people", "pictures", "unreadable", "no face found", "failure to acquire", "pass the gate",
         "left out: wrong labels"),
        tuple(
(c.name, count(c.people) if c.people else "unknown", count(c.pictures), count(c.unreadable),
             count(c.no_face), written(c.acquire), count(c.passed), count(c.noise))
            for c in found.counts
        ),
        "Frames of clips count as pictures. Intervals of this table: Clopper and Pearson.",
    )  # fmt: skip


def _accuracy(found: Evaluation) -> Table:
    rows = tuple(
        (
            p.cohort,
            f"{count(p.accuracy.pairs)} of {count(p.accuracy.listed)}",
            f"{100 * p.accuracy.mean:.2f} % +- {100 * p.accuracy.deviation:.2f}",
            f"{100 * p.accuracy.error_of_mean:.2f}",
            count(p.accuracy.failed),
        )
        for p in found.pairs
        if p.accuracy is not None
    )
    return Table(
        "accuracy",
        "Standard pairs, as labelled",
        ("set", "pairs at hand", "accuracy, mean +- deviation of ten folds", "standard error", "pairs without a face"),
        rows,
        "The threshold of each fold comes from the other nine. Known label errors are kept, as the protocol asks.",
    )


def _at(row: AtTarget) -> str:
    if row.point is None:
        return NOT_SUPPORTED
    return f"{accepted(row.point.fnmr)} at {row.point.threshold:.3f}"


def _pairs_row(p: Pairs) -> tuple[str, ...]:
    sizes = count(p.people), count(p.genuine), count(p.impostor), limit(p.impostor)
    return (p.cohort, *sizes, percent(p.curve.eer), *(_at(row) for row in p.targets))


def _pairs(found: Evaluation) -> Table:
    targets = tuple(f"FMR {exponent(t)}" for t in TARGETS)
    return Table(
        "pairs",
        "Every picture with every other: share of genuine pairs accepted, and the threshold",
        ("set", "people", "genuine pairs", "impostor pairs", "3/n", "equal error rate", *targets),
        tuple(_pairs_row(p) for p in found.pairs),
        "Each set at its own threshold. Intervals: bootstrap over people, as pairs share people, widened to Wilson's.",
    )


def _apart(found: Evaluation) -> Table:
    targets = tuple(f"FMR {exponent(t)}" for t in TARGETS)
    return Table(
        "apart",
        "The same, genuine pairs of different sessions only",
        ("set", *targets),
        tuple((p.cohort, *(_at(row) for row in p.apart)) for p in found.pairs if p.apart),
        "A check-in is another day than the enrolment: where a set tells its sessions, these are the honest figures.",
    )


def _observed(found: Evaluation) -> Table:
    rows = tuple(
        (
            o.asked.purpose,
            f"{o.asked.value:.4f}",
            f"{o.asked.cohort}{', extrapolated' if o.asked.extrapolated else ''}",
            o.cohort,
            written(o.point.fmr),
            accepted(o.point.fnmr),
            *(accepted(rate) if rate is not None else "" for rate in (o.apart, o.gated, o.gated_apart)),
        )
        for o in found.observed
    )
    whose = "these very pictures: see the cross-check" if found.own else "the pack's own calibration"
    return Table(
        "observed",
        "What the desk's thresholds do to each set",
        (
            "asked for",
            "threshold",
            "decided by",
            "set",
            "observed FMR",
            "genuine accepted",
            "different sessions",
            "accepted of those that pass the gate",
            "different sessions",
        ),
        rows,
        f"Thresholds from {whose}. The strictest cohort decides for all.",
    )


def _cross_checked(found: Evaluation) -> Table:
    rows = tuple(
        (
            c.cohort,
            exponent(c.target),
            f"{c.lowest_threshold:.3f}-{c.highest_threshold:.3f}",
            written(c.fmr),
            percent(c.worst_fmr),
            accepted(c.fnmr),
            f"{100 * (1 - c.worst_fnmr):.2f} %",
            count(c.tests),
        )
        for c in found.cross_checked
    )
    return Table(
        "cross",
        "Cross-check: thresholds from one half of the people, tested on the other",
        ("set", "FMR asked for", "thresholds", "observed FMR", "worst test", "genuine accepted", "worst test", "tests"),
        rows,
        "The strictest cohort of the calibrating half decides. Means over the tests; the interval is that of one test.",
    )


def _searches(found: Evaluation) -> Table:
    rows = tuple(
        (
            s.cohort,
            count(r.setting.gallery),
            str(r.setting.looks),
            str(r.setting.frames),
            f"{count(r.mated)} / {count(r.non_mated)}",
            accepted(r.first),
            *(NOT_SUPPORTED if at.fnir is None else written(at.fnir) for at in r.rows),
        )
        for s in found.searches
        for r in s.rows
    )
    fpirs = tuple(f"FNIR at FPIR {percent_of(at.fpir)}" for at in found.searches[0].rows[0].rows) if rows else ()
    return Table(
        "searches",
        "Open-set identification",
        (
            "set",
            "enrolled",
            "looks each",
            "frames a probe",
            "searches: enrolled / strangers",
            "right one first",
            *fpirs,
        ),
        rows,
        "Who is enrolled is drawn ten times. At most so many looks and frames: people with fewer pictures give fewer.",
    )


def _discards(found: Evaluation) -> Table:
    rows = []
    for p in found.pairs:
        for d in p.discards:
            shown = [r for r in d.rows if r.share in (0.0, 0.02, 0.05, 0.1, 0.2)]
            rows.append((p.cohort, d.measure, f"{d.area:.2f}", *(written(r.fnmr) for r in shown)))
    return Table(
        "discards",
        "Error versus discard: FNMR when the worst pictures are turned away",
        ("set", "quality measure", "area (useless: 1)", "none", "2 %", "5 %", "10 %", "20 %"),
        tuple(rows),
        "A pair is as good as its worse picture; the threshold stays where it was.",
    )


def _verdicts(groups: Iterator[Verdicts]) -> tuple[tuple[str, ...], ...]:
    """Errors as rates: of attacks those judged live, of living people those refused; the other side as shares."""
    rows = []
    for g in groups:
        live, refused = (written, share) if g.attack else (share, written)
        sizes = count(g.series), count(g.windows)
        rows.append((g.name, *sizes, live(g.live), refused(g.refused), count(g.frames), live(g.frame_live)))
    return tuple(rows)


def _limits(found: Evaluation) -> str:
    if found.attacks is None:
        return ""
    a = found.attacks
    whose = "from these very pictures" if a.own else "of the pack"
    return (
        f"Limits {whose}: live from {a.accept:.4f}, attack below {a.reject:.4f}, between them inconclusive (a "
        f"challenge, where the policy asks for one); windows of {a.frames} frames. Intervals: bootstrap over series."
    )


def _attacks(found: Evaluation) -> Table:
    groups = found.attacks.groups if found.attacks else ()
    return Table(
        "attacks",
        "Attacks, by type of instrument",
        ("attacks", "series", "windows", "APCER: judged live", "refused at once", "frames", "APCER of single frames"),
        _verdicts(g for g in groups if g.attack),
        _limits(found),
    )


def _bona_fide(found: Evaluation) -> Table:
    groups = found.attacks.groups if found.attacks else ()
    return Table(
        "bona-fide",
        "Living people, by session",
        ("session", "series", "windows", "judged live", "BPCER: refused at once", "frames", "single frames live"),
        _verdicts(g for g in groups if not g.attack),
        _limits(found),
    )


def _end_to_end(found: Evaluation) -> Table:
    rows = found.attacks.end_to_end if found.attacks else ()
    return Table(
        "end-to-end",
        "End to end: liveness and comparison together",
        ("presented", "threshold", "matches the person (attacks: IAPMR)", "accepted: judged live and matching"),
        tuple(
            (r.name, f"{r.threshold:.4f}", share(r.matched), (written if r.attack else share)(r.accepted)) for r in rows
        ),
        "Each person is enrolled with up to three looks of the first session; windows are fused as at the desk.",
    )
