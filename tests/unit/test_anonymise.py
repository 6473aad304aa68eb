"""Hiding faces: what is left of them, and what is not touched."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photos import ASTRONAUT_FACE, HOPPER_FACE, astronaut_pixels, encoded, hopper_pixels, opened
from PIL import Image

from faceblur import covers
from faceblur.anonymise import hide_faces
from faceblur.errors import CorruptImage
from faceblur.faces import Box
from faceblur.styles import MAX_STRENGTH, MIN_PADDING, MIN_STRENGTH, Kind, Region, Shape, Style

STYLES = [Style(kind, shape) for kind in get_args(Kind) for shape in get_args(Shape)]
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
    kind=st.sampled_from(get_args(Kind)),
    shape=st.sampled_from(get_args(Shape)),
    padding=st.floats(0, 1),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
)
regions = st.lists(st.builds(Region, boxes, styles), max_size=4)


@pytest.fixture
def no_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covers, "urandom", lambda count: bytes([128]) * count)


def covered(image: Image.Image, *regions: Region) -> Image.Image:
    image = image.copy()
    covers.cover([image], regions)
    return image


def values(image: Image.Image) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.asarray(image, np.int64)


def opaque(size: tuple[int, int], region: Region) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where nothing of the picture may show through."""
    mask = Image.new("L", size)
    for piece, opacities in covers.outline(size, region).pieces():
        mask.paste(opacities, piece)
    return np.asarray(mask) == 255


def changeable(size: tuple[int, int], regions: list[Region]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where a picture may change at all."""
    mask = np.zeros(size[::-1], bool)
    for region in regions:
        left, top, right, bottom = covers.outline(size, region).seen
        mask[top:bottom, left:right] = True
    return mask


def other_face_with_the_same_cells(image: Image.Image, region: Region) -> Image.Image:
    """The image with what is within each cell turned around, so that its average stays."""
    other = values(image)
    left, top, right, bottom = covers.outline(image.size, region).seen
    columns, rows = covers.averages(image, covers.Pixels(left, top, right, bottom), covers.CELLS).size
    for row in range(rows):
        for column in range(columns):
            cell = np.s_[
                top + (bottom - top) * row // rows : top + (bottom - top) * (row + 1) // rows,
                left + (right - left) * column // columns : left + (right - left) * (column + 1) // columns,
            ]
            other[cell] = other[cell][::-1, ::-1]
    return Image.fromarray(other.astype(np.uint8))


# In a picture of 768 × 768 and with a padding of 1, the cells of this face have whole pixels, 288 × 256.
EVEN_FACE = Box(0.375, 0.5, 0.25, 0.25, 99.0)


@pytest.mark.usefixtures("no_noise")
@pytest.mark.parametrize("style", STYLES, ids=lambda style: f"{style.kind} {style.shape}")
def test_two_faces_with_the_same_cells_look_the_same(style: Style) -> None:
    """What is painted over a face is a function of its cells, and so holds no more than they do."""
    region = Region(EVEN_FACE, replace(style, padding=1.0))
    one = astronaut_pixels().resize((768, 768), box=(130, 20, 330, 220))
    other = other_face_with_the_same_cells(one, region)
    hidden = opaque(one.size, region)
    assert np.abs(values(one) - values(other))[hidden].mean() > 20

    difference = np.abs(values(covered(one, region)) - values(covered(other, region)))[hidden]

    assert difference.max() <= 1  # the averages' last digit


@pytest.mark.parametrize("style", STYLES, ids=lambda style: f"{style.kind} {style.shape}")
def test_a_hidden_face_is_made_of_few_cells(style: Style) -> None:
    assert covers.CELLS <= 5
    region = Region(HOPPER_FACE, style)
    patch = covers.patch_for([hopper_pixels()], region)
    assert max(patch.cells.size) <= covers.CELLS
    if style.kind == "pixelate":
        hidden = values(covered(hopper_pixels(), region))[opaque(hopper_pixels().size, region)]
        assert len(np.unique(hidden, axis=0)) <= covers.CELLS**2


@pytest.mark.parametrize("width", [8, 50, 400, 3000])
def test_strength_goes_with_the_size_of_the_face(width: int) -> None:
    image = Image.new("L", (width * 2, width * 2))
    part = covers.outline(image.size, Region(EVEN_FACE, Style())).seen
    columns, rows = covers.averages(image, part, covers.CELLS).size
    assert part.size[0] / columns >= part.size[0] / 5
    assert part.size[1] / rows >= part.size[1] / 5


@pytest.mark.parametrize("kind", ["blur", "pixelate"])
def test_more_strength_leaves_less_and_no_number_leaves_more_than_the_least(kind: Kind) -> None:
    def left(strength: int) -> int:
        region = Region(HOPPER_FACE, Style(kind, strength=strength))
        return max(covers.patch_for([hopper_pixels()], region).cells.size)

    strengths = range(MIN_STRENGTH, MAX_STRENGTH + 1)
    assert [left(strength) for strength in strengths] == [3, 2, 1]
    assert left(MIN_STRENGTH - 1) == left(MIN_STRENGTH)


def test_no_option_gives_less_room_than_the_least() -> None:
    size = (1000, 1000)
    assert covers.outline(size, Region(EVEN_FACE, Style(padding=0))) == covers.outline(
        size, Region(EVEN_FACE, Style(padding=MIN_PADDING))
    )


@pytest.mark.parametrize("shape", get_args(Shape))
@pytest.mark.parametrize("width", [5, 20, 90, 1600])
@pytest.mark.parametrize("height", [7, 25, 110, 1900])
def test_nothing_shows_through_anywhere_in_the_face(shape: Shape, width: int, height: int) -> None:
    size = (width * 3 + 1, height * 3 + 2)
    region = Region(Box(0.31, 0.34, 0.32, 0.33, 99.0), Style(shape=shape))
    left, top, right, bottom = covers.outline(size, region).face
    hidden = opaque(size, region)
    assert hidden[top:bottom, left:right].all()
    assert hidden.sum() >= (right - left) * (bottom - top)


def test_the_rounded_outline_fades_and_reaches_no_edge() -> None:
    stencil = values(covers.superellipse())
    assert stencil[0].max() <= 1
    assert stencil[:, 0].max() <= 1
    steps = np.diff(stencil[128, :128])
    assert steps.min() >= 0
    assert steps.max() < 20


@pytest.mark.parametrize(("longer_side", "drawn"), [(40, 512), (513, 512), (2048, 512), (2100, 525), (8000, 2000)])
def test_the_outline_is_drawn_anew_only_where_repeated_pixels_would_show(longer_side: int, drawn: int) -> None:
    stencil = covers.superellipse()
    whole = covers.enlarged(stencil, (longer_side // 2, longer_side), covers.FINE_OUTLINE)
    assert max(whole.size) == drawn
    assert (whole is stencil) == (drawn == covers.FINE_OUTLINE)


def test_a_smooth_cover_has_no_edges() -> None:
    hidden = values(covered(hopper_pixels(), Region(HOPPER_FACE, Style())))
    left, top, right, bottom = covers.outline(hopper_pixels().size, Region(HOPPER_FACE, Style())).face
    face = hidden[top:bottom, left:right]
    assert np.abs(np.diff(face, axis=0)).max() <= 4
    assert np.abs(np.diff(face, axis=1)).max() <= 4


@pytest.mark.parametrize("colour", [(0, 0, 0), (200, 30, 90)])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
def test_solid_is_of_the_colour_and_nothing_else(mode: str, colour: tuple[int, int, int]) -> None:
    image = astronaut_pixels().convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(40)
    region = Region(ASTRONAUT_FACE, Style("solid", colour=colour))
    hidden = values(covered(image, region))[opaque(image.size, region)]
    assert (hidden == values(Image.new("RGB", (1, 1), colour).convert(mode))[0, 0]).all()


@pytest.mark.parametrize("colour", [(0, 0, 0), (200, 30, 90)])
def test_solid_is_of_the_colour_in_each_layer_of_a_jpeg(colour: tuple[int, int, int]) -> None:
    picture = astronaut_pixels().convert("YCbCr")
    light, half = picture.getchannel("Y"), picture.reduce(2)
    region = Region(ASTRONAUT_FACE, Style("solid", colour=colour))
    covers.cover([light, half], [region])
    expected = values(Image.new("RGB", (1, 1), colour).convert("YCbCr"))[0, 0]
    assert (values(light)[opaque(light.size, region)] == expected[0]).all()
    assert (values(half)[opaque(half.size, region)] == expected).all()


@pytest.mark.usefixtures("no_noise")
def test_the_layers_of_a_jpeg_are_covered_alike() -> None:
    picture = astronaut_pixels().convert("YCbCr")
    light, half = picture.getchannel("Y"), picture.reduce(2)
    region = Region(ASTRONAUT_FACE, Style())
    covers.cover([light, half], [region])
    whole = values(covered(picture, region))
    hidden = opaque(picture.size, region)
    assert np.abs(values(light) - whole[..., 0])[hidden].max() <= 4
    assert np.abs(values(half.resize(picture.size)) - whole)[hidden].mean() <= 2


@pytest.mark.parametrize("kind", ["blur", "pixelate"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
def test_noise_is_new_each_time(mode: str, kind: Kind) -> None:
    image = Image.new("RGB", (200, 200), (120, 110, 100)).convert(mode)
    region = Region(EVEN_FACE, Style(kind))
    one, other = (values(covered(image, region)) for _ in range(2))
    assert (one != other).any(axis=-1 if one.ndim == 3 else None).any()


def test_an_outline_in_the_transparency_is_hidden_too() -> None:
    """A cut-out portrait's alpha is a silhouette."""
    image = Image.new("RGBA", (300, 300))
    image.paste((200, 150, 120, 255), (100, 80, 200, 300))
    region = Region(Box(0.33, 0.27, 0.34, 0.5, 99.0), Style())
    alpha = values(covered(image, region))[..., 3]
    assert np.abs(np.diff(alpha, axis=1))[opaque(image.size, region)[:, 1:]].max() <= 8


@pytest.mark.usefixtures("no_noise")
@pytest.mark.parametrize("kinds", [("blur", "blur", "blur"), ("blur", "solid", "pixelate")])
def test_the_order_of_overlapping_faces_makes_no_difference(kinds: tuple[Kind, Kind, Kind]) -> None:
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

    hidden = opened(hide_faces(encoded(image, "PNG"), found).data)

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
    hidden = hide_faces(photo, found)
    assert (hidden.width, hidden.height) == opened(hidden.data).size == (width, height)
    assert opened(hidden.data).mode == mode


def test_a_photo_that_cannot_be_decoded_is_corrupt() -> None:
    with pytest.raises(CorruptImage):
        hide_faces(encoded(astronaut_pixels(), "JPEG")[:-500], [Region(ASTRONAUT_FACE, Style())])
