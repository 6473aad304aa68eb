"""How the whole workflow does on real photos, beside deface: `real.py FOLDER`, a folder as truth.py describes it.

Each photo goes through the workflow by the functions that the handlers call, with the default options. Whether a face
is hidden is judged from the pixels of the result (remains.py). deface is asked for its boxes alone: a face counts as
found if one of them matches it. Both go through the photos a few at a time, in processes of their own and in turns, so
that whatever else the machine does hits both. There are two rounds. Of each photo's processor time the less counts;
everything else is judged by the last round.

The photos stay where they are. The report holds counts and ratios alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from detect import things
from judge import judged
from networks import python_path
from photos import encoded
from real_figures import LARGE, NOBODY, WAYS, by_set, figures_of, goals, in_all, rates_of
from report import publish
from scenes import places, scattered
from truth import Photo, read

from faceblur.options import JobOptions
from faceblur.photo.styles import style_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from judge import Answer

ROUNDS = 2
AT_ONCE = 24  # photos that a process goes through
TIMES_LARGE = 3

LARGE_PHOTO, LARGE_FACES = (4000, 3000), (800, 1600)  # pixels


def main(folder: str) -> int:
    """Measure a folder of real photos, and say whether the goals hold; exit code 2 if there are none."""
    if not folder or not (Path(folder) / "truth.json").is_file():
        print("PHOTOS=… must name a folder of photos with a truth.json (see benchmarks/truth.py).", file=sys.stderr)  # noqa: T201
        return 2
    style = style_of(JobOptions().model_dump())
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        photos = [*read(Path(folder)), *composed(work)]
        answers, megabytes = answers_about(photos, work)
        outcomes = [
            judged(photo, ours, others, work / str(number), style)
            for number, (photo, ours, others) in enumerate(zip(photos, *answers.values(), strict=True))
        ]
    rates, figures = rates_of(outcomes), figures_of(outcomes, megabytes)
    return publish("real", [*rates, figures], goals(rates, figures), by_set(rates), in_all(figures))


def composed(folder: Path) -> Iterator[Photo]:
    """Photos of no one, and large photos with one large face each, written into the folder."""
    pictures = [(NOBODY, picture) for picture in (*places(), *things())]
    pictures += [(LARGE, scattered(width, LARGE_PHOTO, 1, seed).picture) for seed, width in enumerate(LARGE_FACES)]
    for number, (set_, picture) in enumerate(pictures):
        path = folder / f"composed-{number}.jpg"
        path.write_bytes(encoded(picture, "JPEG", quality=90))
        yield Photo(path, set_, (), complete=False, of_no_one=set_ == NOBODY)


def answers_about(photos: Sequence[Photo], folder: Path) -> tuple[dict[str, list[list[Answer]]], dict[str, float]]:
    """What each way answers about each photo, in each round, and its peak memory in MB. Results go into the folder."""
    environment = os.environ | {
        "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{python_path()}",
        "OPENBLAS_NUM_THREADS": "1",
        "ORT_DISABLE_TELEMETRY": "1",  # which deface leaves on
    }
    answers: dict[str, list[list[Answer]]] = {way: [[] for _ in photos] for way in WAYS}
    megabytes = dict.fromkeys(WAYS, 0.0)
    for round_ in range(ROUNDS):
        for batch in batches(photos):
            files = [(number, str(photos[number].path.absolute())) for number in batch]
            (folder / "photos.json").write_text(json.dumps(files))
            for way in WAYS:
                subprocess.run(
                    [sys.executable, Path(__file__).with_name("real_ways.py"), way, folder],
                    env=environment,
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
                told = json.loads((folder / f"{way}.json").read_text())
                megabytes[way] = max(megabytes[way], told["megabytes"])
                for number, answer in zip(batch, told["answers"], strict=True):
                    answers[way][number].append(answer)
            print(f"round {round_ + 1}: {batch[-1] + 1} of {len(photos)} photos …", file=sys.stderr)  # noqa: T201
    return answers, megabytes


def batches(photos: Sequence[Photo]) -> Iterator[list[int]]:
    """The numbers of the photos that a process goes through, several times through the large ones.

    The first of them has a process ask for more memory, which takes deface up to a third longer.
    """
    large = [number for number, photo in enumerate(photos) if photo.set == LARGE]
    others = [number for number, photo in enumerate(photos) if photo.set != LARGE]
    for start in range(0, len(others), AT_ONCE):
        yield others[start : start + AT_ONCE]
    yield large * TIMES_LARGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
