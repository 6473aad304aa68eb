"""The complete workflow on real photos: `real.py FOLDER`, a folder as truth.py describes it.

First it hides faces, beside deface, and then number plates (real_plates.py). `real.py FOLDER plates` hides plates only.

Each photo goes through the workflow by the functions that the handlers call, with the default options. Whether a face
is hidden is judged by the pixels of the result (remains.py). deface only gives its boxes: a face counts as found if
one of them matches it. Both process the photos a few at a time, in processes of their own and in turns, so other load
on the machine affects both alike. There are two rounds. The lower processor time of each photo counts; everything else
is judged by the last round.

The photos stay where they are. The report has counts and ratios only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.detect import things
from benchmarks.judge import judged
from benchmarks.real_figures import LARGE, NOBODY, TOOLS, by_set, figures_of, goals, in_all, rates_of
from benchmarks.real_plates import end_of, plate_figures, plate_goals, plate_table
from benchmarks.report import publish
from faceblur.options import JobOptions
from faceblur.photo.styles import style_of
from tests.support.networks import python_path
from tests.support.pictures.photos import encoded
from tests.support.pictures.scenes import places, scattered
from tests.support.pictures.truth import Photo, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.judge import Answer

ROUNDS = 2
AT_ONCE = 24  # photos that one process works on
TIMES_LARGE = 3

LARGE_PHOTO, LARGE_FACES = (4000, 3000), (800, 1600)  # pixels


def main(folder: str, only: str = "") -> int:
    """Measure a folder of real photos, and publish the results; exit code 2 if there are no photos."""
    if not folder or not (Path(folder) / "truth.json").is_file():
        print("PHOTOS=… must name a folder with a truth.json (see tests/support/pictures/truth.py).", file=sys.stderr)  # noqa: T201
        return 2
    photos = read(Path(folder))
    codes = [] if only == "plates" else [measure_faces(photos)]
    if any(photo.plates for photo in photos):
        codes.append(measure_plates(photos))
    return max(codes, default=0)


def measure_plates(photos: Sequence[Photo]) -> int:
    """Hide number plates in all photos, and publish the results."""
    with tempfile.TemporaryDirectory() as name:
        answers, _ = answers_about(photos, Path(name), ("plates",))
        ends = [
            end_of(photo, ours, Path(name) / str(number))
            for number, (photo, ours) in enumerate(zip(photos, answers["plates"], strict=True))
        ]
    figures = plate_figures(ends)
    return publish("plates", [figures], plate_goals(figures), plate_table(figures))


def measure_faces(real: Sequence[Photo]) -> int:
    """Hide faces in these photos and in composed ones, and publish the results."""
    style = style_of(JobOptions().model_dump())
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        photos = [*real, *composed(work)]
        answers, megabytes = answers_about(photos, work)
        outcomes = [
            judged(photo, ours, others, work / str(number), style)
            for number, (photo, ours, others) in enumerate(zip(photos, *answers.values(), strict=True))
        ]
    rates, figures = rates_of(outcomes), figures_of(outcomes, megabytes)
    return publish("real", [*rates, figures], goals(rates, figures), by_set(rates), in_all(figures))


def composed(folder: Path) -> Iterator[Photo]:
    """Photos without people, and large photos with one large face each; all are written into the folder."""
    pictures = [(NOBODY, picture) for picture in (*places(), *things())]
    pictures += [(LARGE, scattered(width, LARGE_PHOTO, 1, seed).picture) for seed, width in enumerate(LARGE_FACES)]
    for number, (set_, picture) in enumerate(pictures):
        path = folder / f"composed-{number}.jpg"
        path.write_bytes(encoded(picture, "JPEG", quality=90))
        yield Photo(path, set_, (), complete=False, of_no_one=set_ == NOBODY)


def answers_about(
    photos: Sequence[Photo], folder: Path, tools: Sequence[str] = TOOLS
) -> tuple[dict[str, list[list[Answer]]], dict[str, float]]:
    """Each tool's answer for each photo in each round, and its peak memory in MB. Results go into the folder."""
    environment = os.environ | {
        "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{python_path()}",
        "OPENBLAS_NUM_THREADS": "1",
        "ORT_DISABLE_TELEMETRY": "1",  # which deface leaves on
    }
    answers: dict[str, list[list[Answer]]] = {tool: [[] for _ in photos] for tool in tools}
    megabytes = dict.fromkeys(tools, 0.0)
    for round_ in range(ROUNDS):
        for batch in batches(photos):
            files = [(number, str(photos[number].path.absolute())) for number in batch]
            (folder / "photos.json").write_text(json.dumps(files))
            for tool in tools:
                subprocess.run(
                    [sys.executable, Path(__file__).with_name("real_tools.py"), tool, folder],
                    env=environment,
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
                told = json.loads((folder / f"{tool}.json").read_text())
                megabytes[tool] = max(megabytes[tool], told["megabytes"])
                for number, answer in zip(batch, told["answers"], strict=True):
                    answers[tool][number].append(answer)
            print(f"round {round_ + 1}: {batch[-1] + 1} of {len(photos)} photos …", file=sys.stderr)  # noqa: T201
    return answers, megabytes


def batches(photos: Sequence[Photo]) -> Iterator[list[int]]:
    """The numbers of the photos for each process; the large photos have a process of their own, and repeat there.

    The first large photo makes a process request more memory, which takes deface up to a third longer.
    """
    large = [number for number, photo in enumerate(photos) if photo.set == LARGE]
    others = [number for number, photo in enumerate(photos) if photo.set != LARGE]
    for start in range(0, len(others), AT_ONCE):
        yield others[start : start + AT_ONCE]
    if large:
        yield large * TIMES_LARGE


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
