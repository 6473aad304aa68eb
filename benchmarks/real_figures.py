"""The figures, goals and tables of `make bench-real`, computed from how each photo ended."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.judge import OPAQUE
from benchmarks.report import Goal, at_least, at_most
from tests.support.pictures.truth import SIZES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.judge import Fate, Outcome

    Row = dict[str, Any]

TOOLS = ("faceblur", "deface")

# The sets that are composed photos.
NOBODY, LARGE = "nobody", "large"

ALL = "all sets"
COUNTED = [size for size, least in SIZES.items() if least >= 8]  # the sizes that the goals are about
PROMISED = [size for size, least in SIZES.items() if least >= 16]  # in these, more are hidden than deface finds
WIDER = {("8–16",): 0.9, ("16–24",): 0.92, ("24–32", "32–64", "64+"): 0.98}  # the share of faces that must be hidden

# Measured before there was a second network: the processor time of detection and checks on the photos of the set LARGE,
# ÷ deface's inference in the same run, and the peak memory of the run in MB.
LARGE_BEFORE = 0.86
MEGABYTES_BEFORE = 470


def rates_of(outcomes: Iterable[Outcome]) -> list[Row]:
    """For each set and size, the number of faces, of hidden faces, and of faces with a box of each tool.

    The set ALL has the faces of all sets.
    """
    groups: dict[tuple[str, str], list[Fate]] = {}
    for fate in (fate for outcome in outcomes for fate in outcome.faces):
        for set_ in (fate.set, ALL):
            groups.setdefault((set_, fate.size), []).append(fate)
    return [
        {"set": set_, "size": size, "faces": len(fates)}
        | {what: sum(getattr(fate, what) for fate in fates) for what in ("hidden", "boxed", "boxed_by_deface")}
        for (set_, size), fates in groups.items()
    ]


def faces_in(rates: Iterable[Row], set_: str, sizes: Sequence[str]) -> Row | None:
    """The number of faces of these sizes in a set, and the shares that are hidden or boxed; None if there are none."""
    chosen = [row for row in rates if row["set"] == set_ and row["size"] in sizes]
    if not chosen:
        return None
    faces = sum(row["faces"] for row in chosen)
    shares = {what: sum(row[what] for row in chosen) / faces for what in ("hidden", "boxed", "boxed_by_deface")}
    return {"faces": faces, "above": shares["hidden"] - shares["boxed_by_deface"]} | shares


def figures_of(outcomes: Sequence[Outcome], megabytes: dict[str, float]) -> Row:
    """The figures for all photos together; a figure is None if there are no photos for it."""
    real = [each for each in outcomes if each.photo.set not in (NOBODY, LARGE)]
    completed = [each for each in real if not each.error]
    marked = [each for each in real if each.photo.complete]
    without_people = [each for each in outcomes if each.photo.of_no_one]
    large = [each for each in outcomes if each.photo.set == LARGE]
    boxed = [fate for each in completed for fate in each.faces if fate.boxed]
    return {
        "photos": len(real),
        "completed": len(completed),
        "errors": Counter(each.error for each in real if each.error),
        "checks": dict(sorted(Counter(each.checks for each in completed).items())),
        "not settled": sum(not each.settled for each in completed),
        "completely marked": len(marked),
        "of no face": sum(each.boxes.of_nothing for each in marked),
        "of no face, deface": sum(each.boxes_of_deface.of_nothing for each in marked),
        "without people": len(without_people),
        "without people, with a box": sum(each.boxes.all > 0 for each in without_people),
        "without people, with a box, deface": sum(each.boxes_of_deface.all > 0 for each in without_people),
        "detection": time_of("first", completed),
        "all passes": time_of("all", completed),
        "detection, large": time_of("first", large),
        "all passes, large": time_of("all", large),
        "peak MB": megabytes["faceblur"],
        "peak MB, deface": megabytes["deface"],
        "painted": middle(each.painted for each in marked),
        "painted, found": middle(each.painted_found for each in real),
        "opaque": sum(fate.opaque for fate in boxed) / len(boxed) if boxed else None,
    }


def time_of(passes: str, outcomes: Sequence[Outcome]) -> float | None:
    """The processor time of these passes ÷ that of deface's inference on the same photos."""
    theirs = sum(outcome.seconds.deface for outcome in outcomes)
    return sum(getattr(outcome.seconds, passes) for outcome in outcomes) / theirs if theirs else None


def middle(numbers: Iterable[float | None]) -> float | None:
    """The median of the numbers that are not None; None if there are none."""
    known = [number for number in numbers if number is not None]
    return median(known) if known else None


def goals(rates: Sequence[Row], figures: Row) -> list[Goal]:
    """All goals, except those without photos."""
    held: list[Goal] = []

    def hold(goal: Callable[[str, float, float], Goal], name: str, value: float | None, bound: float) -> None:
        if value is not None:
            held.append(goal(name, value, bound))

    hold(at_least, "photos completed, share", figures["completed"] / figures["photos"], 1)
    for set_ in sets(rates):
        above = [faces["above"] for size in COUNTED if (faces := faces_in(rates, set_, [size]))]
        hold(at_least, f"{set_}: share hidden − share that deface finds, least size", min(above, default=None), 0)
    if faces := faces_in(rates, ALL, PROMISED):
        hold(at_least, "all sets, 16 px and more: share hidden − share that deface finds", faces["above"], 0.015)
    for sizes, least in WIDER.items():
        if faces := faces_in(rates, "wider", sizes):
            hold(at_least, f"wider, {', '.join(sizes)} px: share hidden", faces["hidden"], least)
    hold(at_most, "boxes of no face − those of deface", figures["of no face"] - figures["of no face, deface"], 0)
    if figures["without people"]:
        with_box, with_box_of_deface = (
            figures["without people, with a box"],
            figures["without people, with a box, deface"],
        )
        hold(at_most, "photos without people: share with a box", with_box / figures["without people"], 0.1)
        hold(at_most, "photos without people: with a box − those of deface", with_box - with_box_of_deface, 0)
    hold(at_most, "processor time of the detection ÷ deface's", figures["detection"], 0.45)
    hold(at_most, "processor time of detection and checks ÷ deface's", figures["all passes"], 0.75)
    if figures["all passes, large"]:
        of_before = figures["all passes, large"] / LARGE_BEFORE
        hold(at_most, "one large face in 12 MP: processor time of detection and checks ÷ that before", of_before, 0.5)
    hold(at_most, "peak MB", figures["peak MB"], MEGABYTES_BEFORE)
    hold(at_most, "area of all paint ÷ that of the faces, median", figures["painted"], 1.7)
    return held


def sets(rates: Iterable[Row]) -> list[str]:
    """The names of the sets of real photos with faces."""
    return sorted({row["set"] for row in rates} - {ALL})


def by_set(rates: Sequence[Row]) -> list[Row]:
    """A table by set and size: the share hidden, the share that deface finds, and the number of faces."""

    def cell(set_: str, size: str) -> str:
        faces = faces_in(rates, set_, [size])
        return f"{faces['hidden']:.2f} / {faces['boxed_by_deface']:.2f} of {faces['faces']}" if faces else "–"

    return [{"set": set_} | {f"{size} px": cell(set_, size) for size in SIZES} for set_ in (*sets(rates), ALL)]


def in_all(figures: Row) -> list[Row]:
    """A table of the figures for all photos together."""
    of_marked = f"boxes of no face, on {figures['completely marked']} completely marked photos"
    of_others = f"photos with a box, of {figures['without people']} without people"
    rounds = ", ".join(f"{photos} after {checks}" for checks, photos in figures["checks"].items())
    rows = [
        ("photos completed", f"{figures['completed']} of {figures['photos']}", "–"),
        (of_marked, figures["of no face"], figures["of no face, deface"]),
        (of_others, figures["without people, with a box"], figures["without people, with a box, deface"]),
        (
            "processor time: detection; detection and checks; deface's inference",
            f"{shown(figures['detection'])}, {shown(figures['all passes'])}",
            1,
        ),
        (
            "the same at 12 MP with one large face",
            f"{shown(figures['detection, large'])}, {shown(figures['all passes, large'])}",
            1,
        ),
        ("peak MB", round(figures["peak MB"]), round(figures["peak MB, deface"])),
        ("photos, by how many checks they took", rounds, "–"),
        ("photos whose last check still found something", figures["not settled"], "–"),
        (
            "area of all paint ÷ that of the faces, median of the completely marked photos",
            shown(figures["painted"]),
            "–",
        ),
        (
            "area of the paint on found faces ÷ that of these faces, median of all photos",
            shown(figures["painted, found"]),
            "–",
        ),
        (f"found faces with {OPAQUE:.0%} of their inner ellipse under opaque paint", shown(figures["opaque"]), "–"),
    ]
    return [dict(zip(("in all", *TOOLS), row, strict=True)) for row in rows]


def shown(number: float | None) -> str:
    """A number for the table."""
    return "–" if number is None else f"{number:.2f}"
