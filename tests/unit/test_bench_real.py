"""The judgement of `make bench-real`: what is matched, what counts as hidden, what the report says."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from benchmarks import real
from benchmarks.judge import Boxes, Fate, Outcome, Seconds, judged, painted
from benchmarks.real_figures import ALL, LARGE, NOBODY, by_set, figures_of, goals, in_all, rates_of
from benchmarks.real_tools import hidden
from faceblur.detectors.base import Detection, DetectionPass
from faceblur.geometry import Box
from faceblur.limits import Shape, StyleKind
from faceblur.photo import decode
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.pictures import photos
from tests.support.pictures.remains import HIDDEN, shown
from tests.support.pictures.scenes import scattered
from tests.support.pictures.truth import Corners, Face, Photo, in_pixels, read

if TYPE_CHECKING:
    from pathlib import Path

    from faceblur.detectors.base import StoredPhoto

WIDTHS = (8, 12, 24, 60, 184)  # of a face, in pixels


def portrait(number: int, width: int, light: float = 1.0) -> tuple[Image.Image, Box]:
    """A portrait whose face has this width in pixels, and the face's box."""
    return resized(number, width).point(lambda level: level * light), photos.PORTRAITS[number][1]


@cache
def resized(number: int, width: int) -> Image.Image:
    picture, face = photos.PORTRAITS[number]
    scale = width / (face.width * picture.width)
    size = round(picture.width * scale), round(picture.height * scale)
    return picture.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)


def left_of(picture: Image.Image, after: Image.Image, face: Box) -> float:
    return shown(picture, after, in_pixels(face, picture.size))


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(params=range(len(photos.PORTRAITS)))
def person(request: pytest.FixtureRequest) -> int:
    return request.param


def test_an_untouched_face_shows(person: int, width: int):
    picture, face = portrait(person, width)
    assert left_of(picture, picture, face) > 0.95


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_another_encoding_hides_nothing(person: int, width: int, quality: int):
    picture, face = portrait(person, width)
    again = photos.opened(photos.encoded(picture, "JPEG", quality=quality))
    assert left_of(picture, again, face) > HIDDEN


@pytest.mark.parametrize("shape", get_args(Shape))
@pytest.mark.parametrize("kind", get_args(StyleKind))
def test_a_covered_face_is_hidden(person: int, width: int, kind: StyleKind, shape: Shape):
    file = photos.encoded(portrait(person, width)[0], "JPEG", quality=92)
    picture, face = photos.opened(file), portrait(person, width)[1]
    after = photos.opened(hide_regions(file, [Region(face, Style(kind, shape))]).data)
    assert left_of(picture, after, face) < HIDDEN


@pytest.mark.parametrize("half", [(0, 0, 0.5, 1), (0.5, 0, 1, 1), (0, 0, 1, 0.62), (0, 0.62, 1, 1)])
@pytest.mark.parametrize("width", [16, 24, 60, 184])
def test_a_half_covered_face_is_not_hidden(person: int, width: int, half: tuple[float, ...]):
    picture, face = portrait(person, width)
    left, top, right, bottom = in_pixels(face, picture.size)
    across, down = right - left, bottom - top
    after = picture.copy()
    area = (left + half[0] * across, top + half[1] * down, left + half[2] * across - 1, top + half[3] * down - 1)
    ImageDraw.Draw(after).rectangle(area, fill=(140, 110, 100))
    assert HIDDEN < left_of(picture, after, face) < 0.8


def test_a_face_that_shines_through_thin_paint_is_not_hidden(person: int, width: int):
    picture, face = portrait(person, width)
    after = Image.blend(picture, Image.new("RGB", picture.size, (140, 110, 100)), 0.7)
    assert left_of(picture, after, face) > HIDDEN


def test_a_slight_blur_hides_nothing(person: int, width: int):
    picture, face = portrait(person, width)
    after = picture.filter(ImageFilter.GaussianBlur(0.04 * width))
    assert left_of(picture, after, face) > HIDDEN


@pytest.mark.parametrize("level", [0, 3, 12])
def test_a_dark_face_without_detail_shows_until_it_is_covered(level: int):
    file = photos.encoded(Image.new("RGB", (96, 96), (level, level, level)), "PNG")
    picture, face = photos.opened(file), Box(0.25, 0.25, 0.5, 0.5, 99.0)
    assert left_of(picture, picture, face) == 1
    white = hide_regions(file, [Region(face, Style("solid", colour=(255, 255, 255)))])
    assert left_of(picture, photos.opened(white.data), face) == 0


def test_a_dark_face_with_detail_is_judged_by_it(person: int):
    picture, face = portrait(person, 60, light=0.12)
    file = photos.encoded(picture, "PNG")
    assert left_of(picture, picture, face) > 2 * HIDDEN
    assert left_of(picture, photos.opened(hide_regions(file, [Region(face, Style())]).data), face) < HIDDEN
    assert left_of(picture, photos.opened(hide_regions(file, [Region(face, Style("solid"))]).data), face) < HIDDEN


def test_noise_in_the_paint_makes_no_face(person: int):
    picture, face = portrait(person, 60)
    noise = np.random.default_rng(0).normal(120, 40, (picture.height, picture.width, 3)).clip(0, 255)
    assert abs(left_of(picture, Image.fromarray(noise.astype(np.uint8)), face)) < 0.1


def box_of(corners: Corners, size: tuple[int, int]) -> dict[str, Any]:
    """A box as faceblur answers it."""
    width, height = size
    return Box(
        corners.left / width, corners.top / height, corners.width / width, corners.height / height, 90.0
    ).to_dict()


def known(path: Path, set_: str, *faces: Face, complete: bool = True, of_no_one: bool = False) -> Photo:
    return Photo(path, set_, faces, complete, of_no_one)


@pytest.mark.parametrize(
    ("side", "size"),
    [(7.9, "< 8"), (8, "8–16"), (15.9, "8–16"), (16, "16–24"), (24, "24–32"), (63, "32–64"), (64, "64+")],
)
def test_a_face_is_as_large_as_its_shorter_side(side: float, size: str):
    assert Face(Corners(0, 0, side, 100), ignored=False).size == size
    assert Face(Corners(0, 0, 100, side), ignored=False).size == size


def test_boxes_match_by_overlap_or_where_they_hold_nearly_all_of_the_face(tmp_path: Path):
    face = Face(Corners(10, 10, 20, 20), ignored=False)
    photo = known(tmp_path, "wider", face)
    assert photo.is_of(Corners(10, 10, 20, 14.1), face)
    assert not photo.is_of(Corners(10, 10, 20, 13.9), face)
    assert photo.is_of(Corners(0, 0, 30, 19.1), face)
    assert not photo.is_of(Corners(0, 0, 30, 18.9), face)


@pytest.mark.parametrize("set_", ["dlib", "pascal"])
def test_squares_and_whole_heads_match_by_the_centre(tmp_path: Path, set_: str):
    face = Face(Corners(10, 10, 20, 20), ignored=False)
    photo = known(tmp_path, set_, face)
    assert photo.is_of(Corners(12, 12, 14, 14), face)
    assert photo.is_of(Corners(0, 0, 38, 38), face)
    assert not photo.is_of(Corners(16, 16, 26, 26), face)


def test_a_box_in_an_ignored_group_is_neither_a_hit_nor_of_nothing(tmp_path: Path):
    face, group = Face(Corners(10, 10, 20, 20), ignored=False), Face(Corners(50, 50, 90, 90), ignored=True)
    photo = known(tmp_path, "wider", face, group)
    assert photo.to_find == [face]
    assert not photo.is_of_nothing(Corners(60, 60, 64, 64))
    assert photo.is_of_nothing(Corners(30, 30, 40, 40))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_are_turned_as_the_photo_is(tmp_path: Path, orientation: int):
    stored = Image.new("RGB", (60, 40))
    ImageDraw.Draw(stored).rectangle((5, 10, 14, 29), fill="white")
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "photo.png").write_bytes(photos.encoded(stored, "PNG", exif=exif))
    truth = {"w": 60, "h": 40, "faces": [[5, 10, 10, 20, "", 0, 0]], "complete": True}
    (tmp_path / "truth.json").write_text(json.dumps({"set/photo.png": truth}))
    (photo,) = read(tmp_path)
    seen = decode.load_for_detection(photo.path.read_bytes(), None).convert("L").getbbox()
    assert photo.faces[0].box == seen


def test_what_is_known_of_photos(tmp_path: Path):
    (tmp_path / "set").mkdir()
    truth = {
        "marked": {"faces": [], "complete": True},
        "plates": {"faces": [], "complete": True, "annotated": "plates only"},
        "counted": {"faces": [], "complete": False, "annotated": False, "count": [2, 3]},
        "empty": {"faces": [], "complete": False, "annotated": False, "count": [0, 0]},
        "some": {"faces": [[1, 1, 9, 9, "ignore", 0, 0]], "complete": False, "plates": [[2, 3, 9, 4]]},
    }
    for name in truth:
        (tmp_path / "set" / name).write_bytes(photos.encoded(Image.new("RGB", (20, 20)), "PNG"))
    (tmp_path / "truth.json").write_text(
        json.dumps({f"set/{name}": {"w": 20, "h": 20} | of for name, of in truth.items()})
    )
    known_photos = {photo.path.name: photo for photo in read(tmp_path)}
    assert known_photos["some"].plates == (Corners(2, 3, 11, 7),)
    found = {name: (photo.set, photo.complete, photo.of_no_one) for name, photo in known_photos.items()}
    assert found == {
        "marked": ("set", True, False),
        "plates": ("set", False, False),
        "counted": ("set", False, False),
        "empty": ("set", False, True),
        "some": ("set", False, False),
    }


def test_a_photo_is_judged_by_its_result(tmp_path: Path):
    scene = scattered(60, (640, 480), 2, 0)
    first, second = (Corners(*face) for face in scene.faces)
    file = photos.encoded(scene.picture, "JPEG", quality=92)
    (tmp_path / "photo.jpg").write_bytes(file)
    photo = known(tmp_path / "photo.jpg", "wider", Face(first, ignored=False), Face(second, ignored=False))
    boxes = [box_of(first, scene.picture.size), Box(0.9, 0.9, 0.05, 0.05, 60.0).to_dict()]
    (tmp_path / "0").write_bytes(hide_regions(file, [Region(Box.from_dict(box), Style()) for box in boxes]).data)
    answers = [
        {"boxes": boxes, "seconds": seconds, "settled": True, "error": ""}
        for seconds in ([2.0, 1.0, 4.0], [3.0, 1.0, 1.0])
    ]
    of_deface = [{"boxes": [second], "seconds": [seconds]} for seconds in (8.0, 9.0)]

    outcome = judged(photo, answers, of_deface, tmp_path / "0", Style())

    assert outcome.faces == [
        Fate("wider", "32–64", hidden=True, boxed=True, boxed_by_deface=False, opaque=True),
        Fate("wider", "32–64", hidden=False, boxed=False, boxed_by_deface=True, opaque=False),
    ]
    assert (outcome.boxes, outcome.boxes_of_deface) == (Boxes(2, 1), Boxes(1, 0))
    assert (outcome.checks, outcome.settled, outcome.error) == (2, True, "")
    assert outcome.seconds == Seconds(first=2.0, all=5.0, deface=8.0)


def test_a_job_that_failed_hid_nothing(tmp_path: Path):
    picture, face = portrait(0, 60)
    (tmp_path / "photo.png").write_bytes(photos.encoded(picture, "PNG"))
    photo = known(tmp_path / "photo.png", "wider", Face(in_pixels(face, picture.size), ignored=False))
    answers = [{"boxes": [], "seconds": [0.0], "settled": False, "error": "CorruptImage"}]
    outcome = judged(photo, answers, [{"boxes": [], "seconds": [1.0]}], tmp_path / "none", Style())
    assert [fate.hidden for fate in outcome.faces] == [False]
    assert outcome.error == "CorruptImage"


def test_paint_is_compared_with_the_marked_faces():
    face = Face(Corners(40, 40, 60, 60), ignored=False)
    region = Region(Box(0.4, 0.4, 0.2, 0.2, 99.0), Style(shape="box", padding=0.5))
    assert painted((100, 100), [region], [face]) == pytest.approx(4, rel=0.1)
    assert painted((100, 100), [region, region], [face, face]) == pytest.approx(4, rel=0.1)
    assert painted((100, 100), [region], []) is None


def test_paint_where_no_face_is_counts_separately(tmp_path: Path):
    picture, face = portrait(0, 60)
    file = photos.encoded(picture, "PNG")
    (tmp_path / "photo.png").write_bytes(file)
    (tmp_path / "0").write_bytes(file)
    marked = Face(in_pixels(face, picture.size), ignored=False)
    of_nothing = Box(0.8, 0.8, 0.184, 0.238, 99.0)
    answers = [{"boxes": [face.to_dict(), of_nothing.to_dict()], "seconds": [1.0, 1.0], "settled": True, "error": ""}]
    of_deface = [{"boxes": [], "seconds": [1.0]}]
    by_set_ = {
        name: judged(known(tmp_path / "photo.png", name, marked), answers, of_deface, tmp_path / "0", Style())
        for name in ("wider", "dlib")
    }
    assert by_set_["wider"].painted > 1.4 * by_set_["wider"].painted_found > 1.4
    assert (by_set_["dlib"].painted, by_set_["dlib"].painted_found) == (None, None)


class Scripted:
    """A detector that returns the next list of boxes in each pass."""

    def __init__(self, *found: list[Box]) -> None:
        self.found = list(found)
        self.passes: list[tuple[DetectionPass, bytes]] = []

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:  # noqa: ARG002
        self.passes.append((detection_pass, photo.data))
        return Detection(self.found.pop(0), "scripted", "1", 0, [])


def somewhere(number: int) -> Box:
    """A face in a place of its own."""
    return Box(0.1 * number, 0.1, 0.03, 0.05, 90.0, "scripted")


def test_a_photo_in_which_nothing_was_missed_is_checked_once():
    photo = photos.flower()
    detector = Scripted([somewhere(1)], [somewhere(1)])
    answer, result = hidden(photo, detector)
    assert answer["boxes"] == [somewhere(1).to_dict()]
    assert (answer["settled"], len(answer["seconds"])) == (True, 2)
    assert detector.passes == [(DetectionPass.FIRST, photo), (DetectionPass.CHECK, result)]


def test_what_a_check_finds_is_hidden_and_checked_again():
    detector = Scripted([somewhere(1)], [somewhere(1), somewhere(3)], [])
    answer, result = hidden(photos.flower(), detector)
    assert answer["boxes"] == [somewhere(1).to_dict(), somewhere(3).to_dict()]
    assert (answer["settled"], len(answer["seconds"])) == (True, 3)
    assert detector.passes[-1] == (DetectionPass.CHECK, result)


def test_what_the_last_check_finds_is_hidden_too():
    photo = photos.flower()
    detector = Scripted(*([somewhere(number)] for number in range(6)))
    answer, result = hidden(photo, detector)
    assert answer["boxes"] == [somewhere(number).to_dict() for number in range(6)]
    assert (answer["settled"], len(answer["seconds"])) == (False, 6)
    before, after = photos.opened(photo), photos.opened(result)
    assert left_of(before, after, somewhere(5)) < HIDDEN


def outcome(photo: Photo, **of: Any) -> Outcome:
    """The outcome of a photo, with defaults for all fields that are not given."""
    usual = {"error": "", "settled": True, "checks": 1, "faces": [], "boxes": Boxes(0, 0), "painted": None}
    usual |= {"painted_found": None, "boxes_of_deface": Boxes(0, 0), "seconds": Seconds(1.0, 2.0, 4.0)}
    return Outcome(photo, **(usual | of))


def fates(set_: str, size: str, *, hidden: int, by_deface: int, of: int) -> list[Fate]:
    return [
        Fate(set_, size, number < hidden, number < hidden, number < by_deface, number < hidden) for number in range(of)
    ]


def test_faces_are_counted_by_set_and_size(tmp_path: Path):
    rates = rates_of(
        [
            outcome(known(tmp_path, "wider"), faces=fates("wider", "8–16", hidden=3, by_deface=2, of=4)),
            outcome(known(tmp_path, "ilc"), faces=fates("ilc", "8–16", hidden=1, by_deface=1, of=1)),
        ]
    )
    of_wider, of_ilc, of_all = by_set(rates)[1], by_set(rates)[0], by_set(rates)[2]
    assert (of_ilc["set"], of_ilc["8–16 px"], of_ilc["64+ px"]) == ("ilc", "1.00 / 1.00 of 1", "–")
    assert (of_wider["set"], of_wider["8–16 px"]) == ("wider", "0.75 / 0.50 of 4")
    assert (of_all["set"], of_all["8–16 px"]) == (ALL, "0.80 / 0.60 of 5")


def everything(tmp_path: Path, **changed: Any) -> list[Outcome]:
    """Photos of every kind, with which all goals hold but for what is changed in the first."""
    real_photo = known(tmp_path / "name-of-a-photo.jpg", "wider")
    sizes = ("8–16", "16–24", "24–32")
    faces = [fate for size in sizes for fate in fates("wider", size, hidden=50, by_deface=49, of=50)]
    return [
        outcome(real_photo, **({"faces": faces, "painted": 1.5, "seconds": Seconds(1.0, 2.0, 4.0)} | changed)),
        outcome(known(tmp_path, "hard", complete=False, of_no_one=True), boxes_of_deface=Boxes(1, 1)),
        outcome(known(tmp_path, NOBODY, complete=False, of_no_one=True)),
        outcome(known(tmp_path, LARGE, complete=False), seconds=Seconds(0.5, 1.0, 4.0)),
    ]


def missed(outcomes: list[Outcome], megabytes: float = 300) -> list[str]:
    """The goals that do not hold."""
    figures = figures_of(outcomes, {"faceblur": megabytes, "deface": 900})
    return [goal.name for goal in goals(rates_of(outcomes), figures) if not goal.holds]


def test_all_goals_may_hold(tmp_path: Path):
    assert missed(everything(tmp_path)) == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"error": "CorruptImage"}, ["photos completed, share"]),
        (
            {"faces": fates("wider", "24–32", hidden=98, by_deface=99, of=100)},
            [
                "wider: share hidden − share that deface finds, least size",
                "all sets, 16 px and more: share hidden − share that deface finds",
            ],
        ),
        (
            {"faces": fates("ilc", "8–16", hidden=1, by_deface=2, of=3)},
            ["ilc: share hidden − share that deface finds, least size"],
        ),
        ({"faces": fates("wider", "8–16", hidden=89, by_deface=0, of=100)}, ["wider, 8–16 px: share hidden"]),
        ({"boxes": Boxes(3, 1)}, ["boxes of no face − those of deface"]),
        ({"seconds": Seconds(6.0, 6.1, 8.0)}, ["processor time of the detection ÷ deface's"]),
        ({"seconds": Seconds(1.0, 9.0, 8.0)}, ["processor time of detection and checks ÷ deface's"]),
        ({"painted": 1.8}, ["area of all paint ÷ that of the faces, median"]),
    ],
)
def test_each_goal_may_be_missed(tmp_path: Path, changed: dict[str, Any], named: list[str]):
    assert missed(everything(tmp_path, **changed)) == named


def test_goals_about_photos_of_no_one(tmp_path: Path):
    outcomes = everything(tmp_path)
    outcomes[2] = outcome(known(tmp_path, NOBODY, complete=False, of_no_one=True), boxes=Boxes(2, 2))
    assert missed(outcomes) == ["photos without people: share with a box"]
    outcomes[1] = outcome(known(tmp_path, "hard", complete=False, of_no_one=True))
    assert missed(outcomes) == [
        "photos without people: share with a box",
        "photos without people: with a box − those of deface",
    ]


def test_goals_about_memory_and_large_photos(tmp_path: Path):
    outcomes = everything(tmp_path)
    assert missed(outcomes, megabytes=800) == ["peak MB"]
    outcomes[3] = outcome(known(tmp_path, LARGE, complete=False), seconds=Seconds(0.5, 3.0, 4.0))
    assert missed(outcomes) == ["one large face in 12 MP: processor time of detection and checks ÷ that before"]


def test_a_photo_without_a_result_takes_no_time_and_settles_nothing(tmp_path: Path):
    outcomes = everything(tmp_path)
    figures = figures_of(
        [*outcomes, outcome(known(tmp_path, "ilc"), error="Corrupt", settled=False, seconds=Seconds(0, 0, 9))],
        {"faceblur": 1, "deface": 1},
    )
    assert (figures["photos"], figures["completed"], figures["errors"]) == (3, 2, {"Corrupt": 1})
    assert (figures["not settled"], figures["checks"], figures["detection"]) == (0, {1: 2}, 0.25)


def test_the_report_names_no_photo(tmp_path: Path):
    outcomes = everything(tmp_path)
    rates, figures = rates_of(outcomes), figures_of(outcomes, {"faceblur": 300, "deface": 900})
    report = json.dumps([rates, figures, goals(rates, figures), by_set(rates), in_all(figures)])
    assert "name-of-a-photo" not in report
    assert str(tmp_path) not in report


@pytest.mark.parametrize("name", ["", "empty"])
def test_a_folder_without_truth_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert real.main(name) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_no_folder_is_not_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "truth.json").write_text("{}")
    assert real.main("") == 2


def test_large_photos_come_last_and_several_times(tmp_path: Path):
    many = [known(tmp_path, LARGE), *[known(tmp_path, "wider")] * 30, known(tmp_path, LARGE)]
    first, second, large = real.batches(many)
    assert first + second == list(range(1, 31))
    assert sorted(set(large)) == [0, 31]
    assert len(large) > 2
