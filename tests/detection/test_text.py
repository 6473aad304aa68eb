"""The embedded detector of plates and text, on drawn ones; and how they are covered and checked."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageStat

from faceblur.api.decisions import parse_decision
from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.text import detector
from faceblur.detectors.text.detector import EmbeddedTextDetector
from faceblur.detectors.warnings import WarningCode
from faceblur.geometry import Box
from faceblur.limits import MIN_PADDING
from faceblur.photo.coverage import opaque_paint
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.pictures.photos import encoded, street_pixels, without_its_end
from tests.support.pictures.plates import page, plate, street_with_plate

pytestmark = pytest.mark.usefixtures("networks")


def look(photo: bytes, *kinds: str, detection_pass: DetectionPass = DetectionPass.FIRST) -> Detection:
    return EmbeddedTextDetector(kinds).detect(StoredPhoto(photo, "", ""), 50, detection_pass)


def covered(mask: Image.Image, regions: list[Region]) -> float:
    """The share (0…1) of the mask that is under opaque paint."""
    paint = Image.composite(opaque_paint(mask.size, regions), Image.new("L", mask.size), mask)
    return paint.histogram()[255] / mask.histogram()[255]


@pytest.mark.parametrize("roll", [0, 12])
@pytest.mark.parametrize("enlarged", [1, 5])
def test_a_plate_is_covered_as_it_lies(roll, enlarged):
    photo, mask = street_with_plate(roll, enlarged)

    boxes = [box for box in look(photo, "plate").boxes if box.kind == "plate"]

    assert covered(mask, [Region(box, Style()) for box in boxes]) >= 0.95


@pytest.mark.parametrize("roll", [-90, 0, 45, 80, 90])
def test_all_lines_of_a_turned_page_are_covered(roll):
    photo, mask = page(roll)
    boxes = look(photo, "text").boxes

    assert covered(mask, [Region(box, Style()) for box in boxes]) > 0.99
    for box in boxes:
        place = {name: box.to_dict()[name] for name in ("left", "top", "width", "height", "roll")}
        assert parse_decision({"keep": [place]}, ids=False).keep[0].place


def test_the_check_does_not_take_its_paint_for_a_plate_and_finds_a_bare_one():
    photo, _ = street_with_plate(0)
    plates = EmbeddedTextDetector(["plate"])
    regions = [Region(box, Style()) for box in look(photo, "plate").boxes]
    draft = StoredPhoto(hide_regions(photo, regions).data, "", "")

    assert Check(plates, regions).detect(draft, 50, DetectionPass.CHECK).boxes == []
    assert Check(plates, []).detect(StoredPhoto(photo, "", ""), 50, DetectionPass.CHECK).boxes != []


@pytest.mark.parametrize("roll", [0, 12])
@pytest.mark.parametrize("half", ["left", "right"])
def test_a_plate_that_is_covered_by_half_is_found_by_the_check_and_hidden(roll, half):
    """As when a person draws a box that is too small."""
    photo, mask = street_with_plate(roll)
    left, top, right, bottom = mask.getbbox()
    middle = (left + right) / 2
    left, right = (left, middle) if half == "left" else (middle, right)
    width, height = mask.size
    drawn = Box(left / width, top / height, (right - left) / width, (bottom - top) / height, 100, "person", turned=True)
    # With the smallest margin, the paint of the drawn box leaves the other half as it is.
    regions = [Region(replace(drawn, kind="plate"), Style("solid", "box", MIN_PADDING))]
    assert 0.4 < covered(mask, regions) < 0.7

    draft = StoredPhoto(hide_regions(photo, regions).data, "", "")
    missed = Check(EmbeddedTextDetector(["plate"]), regions).detect(draft, 50, DetectionPass.CHECK).boxes
    regions += [Region(box, Style("solid", "box")) for box in missed]

    assert {box.kind for box in missed} == {"plate"}
    assert covered(mask, regions) >= 0.95
    hidden = Image.open(BytesIO(hide_regions(photo, regions, "png").data)).convert("L")
    assert ImageStat.Stat(hidden, mask).mean[0] < 0.05 * 255  # black, where the plate was white


@pytest.mark.parametrize("kinds", [["plate"], ["text"]])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_a_photo_in_which_pixels_are_missing_is_told_from_a_whole_one(kinds, detection_pass):
    whole, _ = street_with_plate(0)
    warnings = [
        look(photo, *kinds, detection_pass=detection_pass).warnings for photo in (without_its_end(whole), whole)
    ]
    assert [WarningCode.TRUNCATED_PHOTO in each for each in warnings] == [True, False]


def test_a_photo_too_dark_for_a_reliable_search_is_told():
    assert WarningCode.DARK_PHOTO in look(encoded(Image.new("RGB", (640, 480)), "PNG"), "text").warnings


@pytest.mark.parametrize("text", ["Bakery", "the house"])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_a_sign_of_the_shape_of_a_plate_stays_visible(text, detection_pass):
    photo, mask = street_with_plate(0, text=text)

    assert look(photo, "plate", detection_pass=detection_pass).boxes == []
    texts = look(photo, "text", detection_pass=detection_pass).boxes
    assert covered(mask, [Region(box, Style()) for box in texts]) > 0.4


@pytest.mark.parametrize("text", ["GOTHAM", "B MW 1234"])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_what_may_be_a_plate_is_covered_whatever_it_says(text, detection_pass):
    photo, mask = street_with_plate(0, 2, text)
    boxes = look(photo, "plate", detection_pass=detection_pass).boxes

    assert covered(mask, [Region(box, Style()) for box in boxes]) > 0.9


def test_a_sign_and_a_plate_are_told_from_each_other_in_one_photo():
    street = street_pixels().copy()
    signs = {"AB 123 CD": (0.3, 0.6), "Bakery": (0.6, 0.3)}
    for text, (x, y) in signs.items():
        street.paste(plate(0, text=text).convert("RGB"), (round(x * street.width), round(y * street.height)))

    (box,) = look(encoded(street, "PNG"), "plate").boxes
    assert (box.left, box.top) == pytest.approx(signs["AB 123 CD"], abs=0.03)


def test_the_network_that_reads_is_loaded_only_if_there_is_something_to_read(monkeypatch):
    def fails() -> None:
        raise AssertionError

    monkeypatch.setattr(detector, "reading_network", fails)
    photo, _ = street_with_plate(0)

    assert look(photo, "text").boxes != []
    assert [box.kind for box in look(photo, "plate", "text").boxes].count("plate") == 1
    assert look(encoded(street_pixels(), "PNG"), "plate").boxes == []
    with pytest.raises(AssertionError):
        look(photo, "plate")


def test_the_version_names_the_networks_that_were_used():
    photo, _ = street_with_plate(0)
    used = [[name.split("-")[0] for name in look(photo, kind).version.split()] for kind in ("text", "plate")]

    assert used == [["ppocr", "onnxruntime"], ["ppocr", "onnxruntime", "ppocr_reader", "onnxruntime"]]


def test_lines_beyond_the_most_that_are_read_count_as_plates(monkeypatch):
    photo, _ = street_with_plate(0, text="Bakery")
    assert look(photo, "plate").boxes == []
    monkeypatch.setattr(detector, "MOST_READ", 0)

    assert [box.kind for box in look(photo, "plate").boxes] == ["plate"]


@cache
def faint_words() -> tuple[bytes, Image.Image]:
    """Faint words in grain, of which a look at three quarters of the size covers 40 %, and a mask of them."""
    mask = Image.new("L", (1960, 480))
    for place in range(5):
        ImageDraw.Draw(mask).text((120 + place * 370, 200), "Smith", 255, FAINT)
    ink = np.asarray(mask)[:, :, None] / 255
    grain = np.random.default_rng(0).normal(0, 14, (480, 1960, 1))
    pixels = grain + np.array(WALL[0]) * (1 - ink) + 80 * ink
    return encoded(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), "PNG", compress_level=1), mask


@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_the_tiles_show_a_large_photo_at_its_own_size(detection_pass):
    photo, mask = faint_words()
    boxes = look(photo, "text", detection_pass=detection_pass).boxes

    letters = mask.point(lambda level: 255 if level > 127 else 0)
    assert covered(letters, [Region(box, Style()) for box in boxes]) > 0.9


def test_text_has_its_own_kind_and_a_plate_is_told_once():
    photo, _ = street_with_plate(0)

    assert {box.kind for box in look(photo, "text").boxes} == {"text"}
    assert [box.kind for box in look(photo, "plate", "text").boxes].count("plate") == len(look(photo, "plate").boxes)


def smooth(size: tuple[int, int], colour: tuple[int, int, int], contrast: int) -> Image.Image:
    """A surface of this colour that is darker above and brighter below, by this many levels."""
    column = np.linspace(-contrast, contrast, size[1])[:, None, None] + colour
    return Image.fromarray(np.clip(column, 0, 255).astype(np.uint8)).resize(size, Image.Resampling.NEAREST)


FAINT = ImageFont.load_default(11)
SKY, WALL, GREY = ((90, 140, 220), 25), ((150, 160, 170), 20), ((128, 128, 128), 0)


@pytest.mark.parametrize("surface", [SKY, WALL, GREY])
@pytest.mark.parametrize("size", [(1000, 667), (1500, 500)], ids=["high", "wide"])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_a_smooth_surface_is_no_text(surface, size, detection_pass):
    picture = encoded(smooth(size, *surface), "PNG", compress_level=1)

    assert look(picture, "text", "plate", detection_pass=detection_pass).boxes == []


@pytest.mark.parametrize(("detection_pass", "horizon"), [(DetectionPass.FIRST, 1200), (DetectionPass.CHECK, 800)])
def test_the_sky_over_a_street_stays_visible(detection_pass, horizon):
    """Without the limit to the height of a region in a tile, each pass would hide much of its photo's sky."""
    picture = smooth((2400, horizon * 3 // 2), *SKY)
    picture.paste(street_pixels().resize((2400, horizon // 2)), (0, horizon))
    boxes = look(encoded(picture, "JPEG", quality=90), "text", detection_pass=detection_pass).boxes
    sky = Image.new("L", picture.size)
    sky.paste(255, (0, 0, 2400, horizon))

    assert covered(sky, [Region(box, Style()) for box in boxes]) < 0.1


@pytest.mark.parametrize(("height", "text"), [(120, "PATIENT JOHN SMITH WARD 7"), (450, "WARD 7")])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_a_headline_across_several_tiles_is_covered(height, text, detection_pass):
    # The tiles of a check stand in two rows, and those of the first pass in one, whatever its height.
    size = (1980, 800 if detection_pass is DetectionPass.CHECK else height + 200)
    picture, mask = Image.new("RGB", size, WALL[0]), Image.new("L", size)
    font = ImageFont.load_default(height)
    for shown, ink in ((picture, "black"), (mask, 255)):
        ImageDraw.Draw(shown).text((990, size[1] / 2), text, ink, font, anchor="mm")
    mask = mask.point(lambda level: 255 if level > 127 else 0)
    boxes = look(encoded(picture, "JPEG", quality=92), "text", detection_pass=detection_pass).boxes

    assert covered(mask, [Region(box, Style()) for box in boxes]) > 0.95


@pytest.mark.parametrize("size", [(120, 40), (480, 160)])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_a_plate_that_fills_the_photo_is_found(size, detection_pass):
    photo = encoded(plate(0, size).convert("RGB"), "PNG")

    assert [box.kind for box in look(photo, "plate", detection_pass=detection_pass).boxes] == ["plate"]


@pytest.mark.parametrize("detection_pass", DetectionPass)
@pytest.mark.parametrize("margin", [2, 8, 30])
def test_a_photo_that_is_cropped_to_its_text_is_no_plain_surface(margin, detection_pass):
    """The network's line lies around such a photo, as it does around a sky."""
    photo, mask = line_of_text("John Smith", 80, margin)
    boxes = look(photo, "text", detection_pass=detection_pass).boxes
    assert covered(mask, [Region(box, Style()) for box in boxes]) > 0.99


@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_the_text_of_a_thin_strip_is_covered(detection_pass):
    """Its tiles are hardly higher than the line, and the look at the whole photo makes the line too low to be seen."""
    photo, mask = line_of_text(" ".join(["John Smith 12"] * 15), 40, 20)
    boxes = look(photo, "text", detection_pass=detection_pass).boxes
    assert covered(mask, [Region(box, Style()) for box in boxes]) > 0.95


def line_of_text(text: str, height: int, margin: int) -> tuple[bytes, Image.Image]:
    """A photo of one line of black text, with so many pixels around it, and a mask of its letters."""
    font = ImageFont.load_default(height)
    left, top, right, bottom = font.getbbox(text)
    mask = Image.new("L", (round(right - left) + 2 * margin, round(bottom - top) + 2 * margin))
    ImageDraw.Draw(mask).text((margin - left, margin - top), text, 255, font)
    return encoded(mask.point(lambda level: 255 - level), "PNG"), mask.point(lambda level: 255 if level > 127 else 0)


@pytest.mark.parametrize(("enlarged", "near"), [(1, False), (0.2, True)])
def test_a_line_near_the_least_size_is_a_warning(enlarged, near):
    shown = plate(0)
    shown = shown.resize((round(shown.width * enlarged), round(shown.height * enlarged)), Image.Resampling.LANCZOS)
    picture = street_pixels().resize((960, 640))
    picture.paste(shown, (480, 420), shown)
    found = look(encoded(picture, "PNG"), "plate")

    assert found.boxes != []
    assert (WarningCode.NEAR_SIZE_LIMIT in found.warnings) is near


@pytest.mark.parametrize(("size", "reduced"), [((2400, 2400), False), ((2500, 2500), True)])
def test_a_photo_that_is_reduced_for_the_search_is_a_warning(size, reduced, monkeypatch):
    nothing = SimpleNamespace(version="", probability=lambda shown: np.zeros(shown.size[::-1], np.float32))
    monkeypatch.setattr(detector, "text_network", lambda: nothing)
    warnings = look(encoded(Image.new("RGB", size, "white"), "PNG"), "text").warnings

    assert (WarningCode.NEAR_SIZE_LIMIT in warnings) is reduced
