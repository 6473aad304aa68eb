"""Hiding faces: what is left of them, and what is not touched."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import permutations
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faceblur.errors import CorruptImage, ImageTooLarge
from faceblur.geometry import Box, Rectangle
from faceblur.limits import MAX_BYTES, MAX_RESULT_BYTES, MAX_STRENGTH, MIN_STRENGTH, Shape, StyleKind
from faceblur.photo import decode, outlines, painting
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, Style
from tests.support.pictures.masks import opaque
from tests.support.pictures.photos import ASTRONAUT_FACE, HOPPER_FACE, astronaut_pixels, encoded, hopper_pixels, opened

STYLES = [Style(kind, shape) for kind in get_args(StyleKind) for shape in get_args(Shape)]
MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]

boxes = st.builds(
    Box,
    left=st.floats(-0.3, 1.2),
    top=st.floats(-0.3, 1.2),
    width=st.floats(0, 0.9),
    height=st.floats(0, 0.9),
    confidence=st.just(99.0),
)
styles = st.builds(
    Style,
    kind=st.sampled_from(get_args(StyleKind)),
    shape=st.sampled_from(get_args(Shape)),
    padding=st.floats(0, 1),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
)
regions = st.lists(st.builds(Region, boxes, styles), max_size=4)


@pytest.fixture
def no_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painting, "urandom", lambda count: bytes([128]) * count)


@pytest.fixture
def usual_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in every run, so that a sample of it is never an unusual one."""
    monkeypatch.setattr(painting, "urandom", random.Random(0).randbytes)


def covered(image: Image.Image, *regions: Region) -> Image.Image:
    image = image.copy()
    painting.paint(image, regions)
    return image


def values(image: Image.Image) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.asarray(image, np.int64)


def changeable(size: tuple[int, int], regions: list[Region]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where a picture may change at all."""
    mask = np.zeros(size[::-1], bool)
    for region in regions:
        left, top, right, bottom = painting.outline(size, region).visible
        mask[top:bottom, left:right] = True
    return mask


def other_face_with_the_same_cells(image: Image.Image, region: Region) -> Image.Image:
    """The image with what is within each cell turned around, so that its average stays."""
    other = values(image)
    left, top, right, bottom = painting.outline(image.size, region).visible
    columns, rows = painting.averages(image, Rectangle(left, top, right, bottom), painting.CELLS).size
    for row in range(rows):
        for column in range(columns):
            cell = np.s_[
                top + (bottom - top) * row // rows : top + (bottom - top) * (row + 1) // rows,
                left + (right - left) * column // columns : left + (right - left) * (column + 1) // columns,
            ]
            other[cell] = other[cell][::-1, ::-1]
    return Image.fromarray(other.astype(np.uint8))


@pytest.mark.parametrize(("mode", "colour"), [("L", 200), ("RGBA", (220, 180, 150, 255))])
def test_the_mean_of_a_large_cell_is_exact(mode: str, colour: Any) -> None:
    """Pillow's sums of a block have 32 bits, which overflow above 16.7 million pixels."""
    side = 5000
    cells = painting.averages(Image.new(mode, (side, side), colour), Rectangle(0, 0, side, side), 1)
    assert np.abs(values(cells) - colour).max() <= 1


# In a picture of 768 × 768 and with a padding of 1, the cells of this face have whole pixels, 192 × 192.
EVEN_FACE = Box(0.375, 0.5, 0.25, 0.25, 99.0)


@pytest.mark.usefixtures("no_noise")
@pytest.mark.parametrize("style", STYLES, ids=lambda style: f"{style.kind} {style.shape}")
def test_two_faces_with_the_same_cells_look_the_same(style: Style) -> None:
    """The paint is a function of the face's cells, so it holds no more than they do."""
    region = Region(EVEN_FACE, replace(style, padding=1.0))
    one = astronaut_pixels().resize((768, 768), box=(130, 20, 330, 220))
    other = other_face_with_the_same_cells(one, region)
    hidden = opaque(one.size, region)
    assert np.abs(values(one) - values(other))[hidden].mean() > 20

    difference = np.abs(values(covered(one, region)) - values(covered(other, region)))[hidden]

    assert difference.max() <= 1  # the averages' last digit


@pytest.mark.parametrize("style", STYLES, ids=lambda style: f"{style.kind} {style.shape}")
def test_no_more_than_nine_averages_are_left_of_a_face(style: Style) -> None:
    for face, size in (
        (EVEN_FACE, (3, 3)),
        (Box(0.4, 0.2, 0.2, 0.4, 99.0), (2, 3)),
        (Box(0.2, 0.4, 0.4, 0.2, 99.0), (3, 2)),
    ):
        patch = painting.patch_for(astronaut_pixels(), Region(face, style))
        assert patch.cells.size == ((1, 1) if style.kind == "solid" else size)


@given(
    st.builds(
        Box, *[st.floats(-0.3, 1.2)] * 2, *[st.floats(0, 0.9)] * 2, st.just(99.0), st.just(""), st.floats(-180, 180)
    ),
    st.sampled_from(get_args(Shape)),
    st.floats(0, 1),
)
def test_no_face_leaves_more_than_nine_averages(box: Box, shape: Shape, padding: float) -> None:
    patch = painting.patch_for(hopper_pixels(), Region(box, Style("blur", shape, padding)))
    assert max(patch.cells.size) <= 3


@pytest.mark.parametrize("shape", get_args(Shape))
def test_pixelated_paint_has_the_colours_of_nine_cells_and_no_other(shape: Shape) -> None:
    region = Region(replace(HOPPER_FACE, roll=30.0), Style("pixelate", shape))
    hidden = values(covered(hopper_pixels(), region))[opaque(hopper_pixels().size, region)]
    assert len(np.unique(hidden @ (1, 256, 256**2))) <= 9


@pytest.mark.usefixtures("no_noise")
@pytest.mark.parametrize("area", [1 << 20, 2000], ids=["at once", "in pieces"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
def test_every_average_stays_in_its_place(mode: str, area: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the face was light, the paint is: a picture with hidden faces still looks like itself from afar."""
    monkeypatch.setattr(outlines, "PIXELS_AT_ONCE", area)
    image = astronaut_pixels().convert(mode)
    region = Region(Box(0.3, 0.2, 0.3, 0.45, 99.0), Style("pixelate", "box", padding=0.1))
    place = painting.outline(image.size, region).visible
    expected = painting.averages(image, place, painting.CELLS).convert(mode)
    painted = covered(image, region).crop(place).resize(expected.size, Image.Resampling.NEAREST)
    assert np.abs(values(painted) - values(expected)).max() <= 1


@pytest.mark.usefixtures("usual_noise")
def test_noise_has_the_strength_that_is_promised() -> None:
    """Of 255 levels: 8 for lightness, and 3 for each band, as docs/irreversibility.md counts with."""
    noise = noise_on("YCbCr")
    assert noise.std(axis=0) == pytest.approx([np.hypot(8, 3), 3, 3], rel=0.03)
    assert np.abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.05


@pytest.mark.usefixtures("usual_noise")
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_noise_is_as_strong_in_pictures_of_other_modes(mode: str) -> None:
    noise = noise_on(mode)
    assert noise.std(axis=0) == pytest.approx([np.hypot(8, 3)] * len(mode), rel=0.03)
    assert np.abs(noise.mean(axis=0)).max() < 0.2
    between = np.diff(noise, axis=1)
    assert between.std(axis=0) == pytest.approx([np.hypot(3, 3)] * (len(mode) - 1), rel=0.03)


def noise_on(mode: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The noise that is added to many grey cells, as [cells, bands]."""
    bands = Image.getmodebands(mode)
    cells = Image.new(mode, (160, 160), (128,) * bands)
    return values(painting.with_noise(cells)).reshape(-1, bands) - 128


@pytest.mark.parametrize("kind", ["blur", "pixelate"])
def test_the_paint_has_the_noise(kind: StyleKind) -> None:
    """On a flat grey picture all that is seen of a region is noise."""
    image = Image.new("RGB", (60, 60), (128, 128, 128))
    region = Region(Box(0.3, 0.3, 0.4, 0.4, 99.0), Style(kind))
    hidden = opaque(image.size, region)
    painted = [values(covered(image, region))[hidden] - 128 for _ in range(300)]
    middle = np.array([each[len(each) // 2] for each in painted])
    assert middle.std(axis=0).min() > (6 if kind == "pixelate" else 3)


@pytest.mark.parametrize("kind", ["blur", "pixelate"])
def test_more_strength_leaves_less_and_no_number_leaves_more_than_the_least(kind: StyleKind) -> None:
    def left(strength: int) -> int:
        region = Region(HOPPER_FACE, Style(kind, strength=strength))
        return max(painting.patch_for(hopper_pixels(), region).cells.size)

    strengths = range(MIN_STRENGTH, MAX_STRENGTH + 1)
    assert [left(strength) for strength in strengths] == [3, 2, 1]
    assert left(MIN_STRENGTH - 1) == left(MIN_STRENGTH)


def test_smooth_paint_has_no_edges() -> None:
    hidden = values(covered(hopper_pixels(), Region(HOPPER_FACE, Style())))
    covered_by_paint = opaque(hopper_pixels().size, Region(HOPPER_FACE, Style()))
    for axis in (0, 1):
        both = covered_by_paint & np.roll(covered_by_paint, -1, axis)
        assert np.abs(np.roll(hidden, -1, axis) - hidden)[both].max() <= 4


@pytest.mark.parametrize("colour", [(0, 0, 0), (200, 30, 90)])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_solid_is_of_the_colour_and_nothing_else(mode: str, colour: tuple[int, int, int]) -> None:
    image = astronaut_pixels().convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(40)
    region = Region(ASTRONAUT_FACE, Style("solid", colour=colour))
    hidden = values(covered(image, region))[opaque(image.size, region)]
    assert (hidden == values(Image.new("RGB", (1, 1), colour).convert(mode))[0, 0]).all()


@pytest.mark.parametrize("kind", ["blur", "pixelate"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
def test_noise_is_new_each_time(mode: str, kind: StyleKind) -> None:
    image = Image.new("RGB", (200, 200), (120, 110, 100)).convert(mode)
    region = Region(EVEN_FACE, Style(kind))
    one, other = (values(covered(image, region)) for _ in range(2))
    assert (one != other).any(axis=-1 if one.ndim == 3 else None).any()


def test_an_outline_in_the_transparency_is_hidden_too() -> None:
    """A cut-out portrait's alpha is a silhouette."""
    image = Image.new("RGBA", (600, 600))
    image.paste((200, 150, 120, 255), (200, 160, 400, 600))
    region = Region(Box(0.33, 0.27, 0.34, 0.5, 99.0), Style())
    alpha = values(covered(image, region))[..., 3]
    painted = opaque(image.size, region)
    assert np.abs(np.diff(alpha, axis=1))[painted[:, 1:] & painted[:, :-1]].max() <= 8


@pytest.mark.usefixtures("no_noise")
@pytest.mark.parametrize("kinds", [("blur", "blur", "blur"), ("blur", "solid", "pixelate")])
def test_the_order_of_overlapping_faces_makes_no_difference(kinds: tuple[StyleKind, StyleKind, StyleKind]) -> None:
    faces = [
        Region(Box(0.30, 0.30, 0.20, 0.25, 99.0), Style(kinds[0])),
        Region(Box(0.42, 0.35, 0.20, 0.25, 90.0), Style(kinds[1])),
        Region(Box(0.36, 0.45, 0.15, 0.15, 80.0), Style(kinds[2])),
    ]
    one, *others = (values(covered(astronaut_pixels(), *order)) for order in permutations(faces))
    for other in others:
        assert np.array_equal(one, other)


def test_overlapping_faces_do_not_show_through_each_others_edges() -> None:
    """On a checked picture every average is grey; so grey must be all that is left where a face is."""
    checked = Image.fromarray((np.indices((400, 400)).sum(0) % 2 * 255).astype(np.uint8))
    faces = [
        Region(Box(left, top, 0.2, 0.25, 99.0), Style())
        for left, top in [(0.2, 0.3), (0.3, 0.35), (0.25, 0.42), (0.21, 0.31)]
    ]
    hidden = values(covered(checked, *faces))
    for face in faces:
        assert np.abs(hidden[opaque(checked.size, face)] - 128).max() < 60


@pytest.mark.usefixtures("no_noise")
def test_a_small_face_is_painted_over_a_large_one() -> None:
    """A child before its mother keeps the colours of its own face: hers, painted last, would replace them."""
    image = Image.new("RGB", (400, 400), "black")
    image.paste((200, 200, 200), (150, 150, 250, 250))
    small, large = (Region(Box(low, low, side, side, 99.0), Style()) for low, side in ((0.4, 0.2), (0.1, 0.8)))
    core = opaque(image.size, small)
    both, child, mother = (values(covered(image, *faces))[core] for faces in ([small, large], [small], [large]))
    assert np.array_equal(both, child)
    assert child.mean() > 2 * mother.mean()


@pytest.mark.parametrize("side", [0.1, 0.8])
def test_solid_paint_lies_over_all_other_paint(side: float) -> None:
    """Who asks for it wants nothing to be seen there that was made from the picture."""
    solid = Region(Box(0.4, 0.4, 0.2, 0.2, 99.0), Style("solid"))
    other = Region(Box(0.5 - side / 2, 0.5 - side / 2, side, side, 99.0), Style())
    hidden = covered(Image.new("RGB", (400, 400), "white"), solid, other)
    assert not values(hidden)[opaque(hidden.size, solid)].any()


@given(regions)
def test_nothing_outside_the_regions_changes(found: list[Region]) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (61, 83, 3), np.uint8))
    hidden = covered(image, *found)
    changed = (values(hidden) != values(image)).any(axis=-1)
    assert not changed[~changeable(image.size, found)].any()


@given(st.sampled_from(MODES), regions, st.integers(16, 70), st.integers(16, 70))
def test_pngs_of_every_mode_are_the_same_outside_the_regions(
    mode: str, found: list[Region], width: int, height: int
) -> None:
    rng = np.random.default_rng(width * height)
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 65536, (height, width), np.uint16))
    else:
        pixels = Image.fromarray(rng.integers(0, 256, (height, width, 4), np.uint8), "RGBA")
        if mode in ("LA", "RGBA"):
            pixels.putalpha(pixels.getchannel("A").point(lambda alpha: max(alpha, 1)))
        image = pixels.convert("RGB").convert(mode) if mode in ("1", "P") else pixels.convert(mode)

    hidden = opened(hide_regions(encoded(image, "PNG"), found).data)

    assert hidden.size == image.size
    common = "I;16" if mode == "I;16" else "RGBA"
    assert hidden.mode == "I;16" or mode != "I;16"
    changed = values(hidden.convert(common)) != values(image.convert(common))
    changed = changed.any(axis=-1) if changed.ndim == 3 else changed
    assert not changed[~changeable(image.size, found)].any()


@given(st.sampled_from(["L", "RGB", "CMYK"]), st.integers(0, 2), regions, st.integers(16, 70), st.integers(16, 70))
def test_any_regions_of_any_jpeg_can_be_hidden(
    mode: str, subsampling: int, found: list[Region], width: int, height: int
) -> None:
    photo = encoded(astronaut_pixels().resize((width, height)).convert(mode), "JPEG", subsampling=subsampling)
    hidden = hide_regions(photo, found)
    assert (hidden.width, hidden.height) == opened(hidden.data).size == (width, height)
    assert opened(hidden.data).mode == mode


def test_a_photo_that_cannot_be_decoded_is_corrupt() -> None:
    with pytest.raises(CorruptImage):
        hide_regions(encoded(astronaut_pixels(), "WEBP")[:-500], [Region(ASTRONAUT_FACE, Style())])


def palette_bmp(width: int, height: int) -> bytes:
    """A BMP of one byte a pixel. Painted on, it has three."""
    colours = Image.new("P", (width, height))
    colours.putpalette([0, 50, 100, 200, 150, 20])
    return encoded(colours, "BMP")


def test_a_result_may_be_larger_than_an_upload() -> None:
    hidden = hide_regions(palette_bmp(4000, 3000), [Region(HOPPER_FACE, Style())])
    assert len(hidden.data) > MAX_BYTES
    assert decode.inspect(hidden.data).width == 4000


def test_a_result_that_is_too_large_asks_for_another_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceblur.photo.hide.MAX_RESULT_BYTES", 100_000)
    with pytest.raises(ImageTooLarge, match=f"larger than {MAX_RESULT_BYTES // 1_000_000} MB.*another output format"):
        hide_regions(encoded(astronaut_pixels(), "JPEG"), [], "png")
    assert len(hide_regions(encoded(astronaut_pixels(), "JPEG"), []).data) < 100_000


def test_an_upload_that_is_too_large_is_refused() -> None:
    with pytest.raises(ImageTooLarge) as raised:
        hide_regions(bytes(MAX_BYTES + 1), [])
    assert raised.value.message == ImageTooLarge.sentence
    assert hide_regions(encoded(astronaut_pixels(), "JPEG").ljust(MAX_BYTES, b"\0"), []).width == 512
