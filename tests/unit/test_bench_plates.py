"""The judgement of number plates in `make bench-real`: what counts as hidden, and what the report says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.real_plates import End, end_of, plate_figures, plate_goals, plate_table
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.pictures import photos
from tests.support.pictures.plates import PLATE, street_with_plate
from tests.support.pictures.remains import hidden_share
from tests.support.pictures.truth import Corners, Photo, in_fractions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def street() -> tuple[bytes, Image.Image, Corners]:
    """A photo with a plate, as a file and as a picture, and the plate's box."""
    file, mask = street_with_plate(0)
    left, top, right, bottom = mask.getbbox()
    assert (right - left, bottom - top) == PLATE
    return file, photos.opened(file), Corners(left, top, right, bottom)


def test_an_untouched_plate_shows_and_so_does_one_in_another_encoding(street):
    _, picture, plate = street
    again = photos.opened(photos.encoded(picture, "JPEG", quality=75))
    assert hidden_share(picture, picture, plate) == 0
    assert hidden_share(picture, again, plate) < 0.1
    assert hidden_share(picture, picture.filter(ImageFilter.GaussianBlur(0.8)), plate) < 0.3


@pytest.mark.parametrize("kind", ["blur", "pixelate", "solid"])
def test_a_covered_plate_is_hidden(street, kind):
    file, picture, plate = street
    after = hide_regions(file, [Region(in_fractions(plate, picture.size), Style(kind, "box"))])
    assert hidden_share(picture, photos.opened(after.data), plate) > 0.95


@pytest.mark.parametrize("half", [(0, 0, 0.5, 1), (0.5, 0, 1, 1), (0, 0.5, 1, 1)])
def test_half_of_a_plate_is_a_half(street, half):
    _, picture, plate = street
    after = picture.copy()
    left, top, right, bottom = half
    area = (
        plate.left + left * plate.width,
        plate.top + top * plate.height,
        plate.left + right * plate.width,
        plate.top + bottom * plate.height,
    )
    ImageDraw.Draw(after).rectangle(area, fill=(128, 128, 128))
    assert 0.3 < hidden_share(picture, after, plate) < 0.75


def test_a_photo_is_judged_by_its_result(street, tmp_path: Path):
    file, picture, plate = street
    (tmp_path / "photo.jpg").write_bytes(file)
    box = in_fractions(plate, picture.size)
    (tmp_path / "0").write_bytes(hide_regions(file, [Region(box, Style(shape="box"))]).data)
    photo = Photo(tmp_path / "photo.jpg", "plates", (), complete=False, of_no_one=False, plates=(plate,))
    answers = [
        {"boxes": [box.to_dict()], "seconds": seconds, "settled": True, "error": ""}
        for seconds in ([2.0, 1.0, 4.0], [3.0, 1.0, 1.0])
    ]

    end = end_of(photo, answers, tmp_path / "0")

    assert (end.boxes, end.settled, end.error, end.seconds) == (1, True, "", (2.0, 2.0))
    assert end.covered[0] > 0.95
    failed = {"boxes": [], "seconds": [0.0], "settled": False, "error": "CorruptImage"}
    assert end_of(photo, [failed], tmp_path / "none").covered == (0,)


def end(path: Path, **of: Any) -> End:
    """The end of a photo with a plate, with defaults for all that is not given."""
    set_ = of.pop("set_", "plates")
    photo = Photo(path, set_, (), False, False, (Corners(0, 0, 9, 3),) if set_ == "plates" else ())
    usual = {"megapixels": 1.0, "error": "", "settled": True, "covered": (), "boxes": 0, "seconds": (0.2, 0.1)}
    return End(photo, **(usual | of))


def ends(path: Path, **changed: Any) -> list[End]:
    """Twenty photos with a plate, of which all are covered but for what is changed in the first, and one without."""
    usual = {"covered": (0.95,), "boxes": 1}
    others = [end(path, **usual) for _ in range(19)]
    return [end(path, **(usual | changed)), *others, end(path, set_="street", boxes=2)]


def test_all_goals_may_hold(tmp_path: Path):
    goals = plate_goals(plate_figures(ends(tmp_path)))
    assert len(goals) == 3
    assert all(goal.holds for goal in goals)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"error": "CorruptImage"}, "photos completed, share"),
        ({"covered": (0.89, 0.2)}, "plates of which 90% is hidden, share"),
        ({"seconds": (9.0, 0.0)}, "processor seconds of detection and checks, 1 to 2 megapixels"),
    ],
)
def test_each_goal_may_be_missed(tmp_path: Path, changed: dict[str, Any], named: str):
    goals = plate_goals(plate_figures(ends(tmp_path, **changed)))
    assert [goal.name for goal in goals if not goal.holds] == [named]


def test_what_the_table_says(tmp_path: Path):
    figures = plate_figures([*ends(tmp_path, boxes=3, covered=(0.5,)), end(tmp_path, set_="street", megapixels=12)])
    shown = {row["number plates"]: row["figure"] for row in plate_table(figures)}
    assert shown["plates of which 90% is hidden"] == "19 of 20"
    assert shown["least share of a plate that is hidden"] == 0.5
    assert shown["further boxes in the photos with plates"] == 2
    assert shown["photos of other sets with a box"] == "1 of 2"
    assert shown["boxes in photos of other sets"] == 2
    assert shown["processor seconds, detection and checks, mean of 21 photos of 1 to 2 megapixels"] == "0.20, 0.10"


def test_without_photos_of_the_size_there_is_no_goal_of_time(tmp_path: Path):
    figures = plate_figures([end(tmp_path, covered=(1.0,), boxes=1, megapixels=0.2)])
    assert len(plate_goals(figures)) == 2
    assert plate_table(figures)[-1]["figure"] == "–, –"
