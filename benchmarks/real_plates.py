"""Number plates in `make bench-real`: how each photo ended, the figures, the goals and the table.

Whether a plate is covered is judged by the pixels of the result (remains.py). Sets whose photos have marked plates tell
how many are found. In the photos of all other sets, each box counts as one of no plate, although some show a plate.
"""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.report import Goal, at_least, at_most
from faceblur.photo import decode
from tests.support.pictures.remains import hidden_share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.pictures.truth import Photo

    Answer = dict[str, Any]

COVERED = 0.9  # the share of a plate's area that must be hidden
MOST_SECONDS = 0.6
MEGAPIXELS = 0.9, 2.0  # of the photos whose time counts; most of the plates' are of 1280 × 720


class End(NamedTuple):
    """How one photo ended.

    `covered` has the hidden share of each plate, `boxes` counts the boxes and `seconds` has the processor time of the
    detection and of the checks.
    """

    photo: Photo
    megapixels: float
    error: str
    settled: bool
    covered: tuple[float, ...]
    boxes: int
    seconds: tuple[float, float]


def end_of(photo: Photo, answers: Sequence[Answer], result: Path) -> End:
    """How a photo ended, by the answers of all rounds, and by the result of the last one."""
    answer = answers[-1]
    before = decode.load_for_detection(photo.path.read_bytes(), None)
    after = before if answer["error"] else decode.load_for_detection(result.read_bytes(), None)
    return End(
        photo=photo,
        megapixels=before.width * before.height / 1e6,
        error=answer["error"],
        settled=answer["settled"],
        covered=tuple(hidden_share(before, after, plate) for plate in photo.plates),
        boxes=len(answer["boxes"]),
        seconds=(min(each["seconds"][0] for each in answers), min(sum(each["seconds"][1:]) for each in answers)),
    )


def plate_figures(ends: Sequence[End]) -> dict[str, Any]:
    """The figures of all photos together; times are None if no photo has the right size."""
    with_plates = {end.photo.set for end in ends if end.photo.plates}
    covered = [share for end in ends for share in end.covered]
    others = [end for end in ends if end.photo.set not in with_plates]
    least, most = MEGAPIXELS
    timed = [end.seconds for end in ends if least <= end.megapixels <= most and not end.error]
    return {
        "photos": len(ends),
        "completed": sum(not end.error for end in ends),
        "settled": sum(end.settled for end in ends),
        "plates": len(covered),
        "covered": sum(share >= COVERED for share in covered),
        "least covered": min(covered),
        "further boxes": sum(max(0, end.boxes - len(end.covered)) for end in ends if end.covered),
        "other photos": len(others),
        "other photos with a box": sum(end.boxes > 0 for end in others),
        "boxes in other photos": sum(end.boxes for end in others),
        "photos timed": len(timed),
        "detection": mean(first for first, _ in timed) if timed else None,
        "checks": mean(checks for _, checks in timed) if timed else None,
    }


def plate_goals(figures: dict[str, Any]) -> list[Goal]:
    """The goals of plates."""
    goals = [
        at_least("photos completed, share", figures["completed"] / figures["photos"], 1),
        at_least(f"plates of which {COVERED:.0%} is hidden, share", figures["covered"] / figures["plates"], 0.95),
    ]
    if figures["photos timed"]:
        seconds = figures["detection"] + figures["checks"]
        goals.append(at_most("processor seconds of detection and checks, 1 to 2 megapixels", seconds, MOST_SECONDS))
    return goals


def plate_table(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """A table of the figures."""
    others = f"{figures['other photos with a box']} of {figures['other photos']}"
    seconds = [figures["detection"], figures["checks"]]
    rows = [
        ("photos completed", f"{figures['completed']} of {figures['photos']}"),
        ("photos whose last check found nothing more", figures["settled"]),
        (f"plates of which {COVERED:.0%} is hidden", f"{figures['covered']} of {figures['plates']}"),
        ("least share of a plate that is hidden", figures["least covered"]),
        ("further boxes in the photos with plates", figures["further boxes"]),
        ("photos of other sets with a box", others),
        ("boxes in photos of other sets", figures["boxes in other photos"]),
        (
            f"processor seconds, detection and checks, mean of {figures['photos timed']} photos of 1 to 2 megapixels",
            ", ".join("–" if each is None else f"{each:.2f}" for each in seconds),
        ),
    ]
    return [dict(zip(("number plates", "figure"), row, strict=True)) for row in rows]
