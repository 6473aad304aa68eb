"""Mosaics of a photo's parts: none is lost, and what is seen in one is put where it belongs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faceblur.detectors import mosaic as mosaics
from faceblur.detectors.mosaic import GAP, LEAST, Cell, Mosaic, Part, grouped, packed
from faceblur.geometry import Box, Rectangle

PHOTO = 4000, 3000
MOST = 1920, 1080


def part_of(left, top, width, height, scale):
    return Part(Rectangle(left, top, left + width, top + height).clip(PHOTO), scale)


parts = st.lists(
    st.builds(
        part_of,
        st.integers(0, PHOTO[0] - 1),
        st.integers(0, PHOTO[1] - 1),
        st.integers(1, 4000),
        st.integers(1, 3000),
        st.floats(0.1, 4),
    ),
    max_size=60,
)


def holds(outer, inner):
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


@given(parts)
def test_every_part_is_in_one_mosaic(parts):
    shown = [cell.area for mosaic in packed(parts, MOST) for cell in mosaic.cells]
    assert sorted(shown) == sorted(part.area for part in parts)


@given(parts)
def test_cells_lie_in_the_mosaic_and_apart_from_each_other(parts):
    for mosaic in packed(parts, MOST):
        assert min(mosaic.size) >= LEAST
        assert mosaic.size[0] <= MOST[0]
        assert mosaic.size[1] <= MOST[1]
        for number, (_, place) in enumerate(mosaic.cells):
            assert holds(Rectangle(0, 0, *mosaic.size), place)
            for _, other in mosaic.cells[:number]:
                assert (
                    place.left >= other.right + GAP
                    or other.left >= place.right + GAP
                    or place.top >= other.bottom + GAP
                    or other.top >= place.bottom + GAP
                )


@given(parts)
def test_a_part_is_shown_at_its_scale_unless_it_is_too_large(parts):
    for part in parts:
        ((cell,),) = (mosaic.cells for mosaic in packed([part], MOST))
        width, height = part.area.size
        scale = min(part.scale, MOST[0] / width, MOST[1] / height)
        assert cell.place.size == (max(1, round(width * scale)), max(1, round(height * scale)))


@given(parts)
def test_a_group_shows_each_of_its_parts_as_large_as_it_asks_for(parts):
    groups = grouped(parts, MOST)
    assert len(groups) <= len(parts)
    for part in parts:
        assert any(holds(group.area, part.area) and group.scale >= part.scale for group in groups)


def grouped_slowly(parts, most):
    """The same as `grouped`, by comparing each part with every group."""
    groups = []
    for part in parts:
        for number, group in enumerate(groups):
            both = mosaics._joined(part, group)
            if mosaics._pixels(both) <= mosaics._pixels(part) + mosaics._pixels(group) and mosaics._fits(both, most):
                groups[number] = both
                break
        else:
            groups.append(part)
    return groups


@given(
    st.lists(
        st.builds(
            part_of, st.integers(0, 400), st.integers(0, 300), st.integers(1, 90), st.integers(1, 90), st.floats(1, 4)
        ),
        max_size=60,
    )
)
def test_parts_that_are_apart_need_no_comparison(parts):
    assert grouped(parts, (300, 300)) == grouped_slowly(parts, (300, 300))


def test_touching_parts_are_compared():
    parts = [part_of(left, top, 50, 50, 2) for left in (100, 150, 50) for top in (100, 150, 50)]
    assert grouped(parts, MOST) == grouped_slowly(parts, MOST)


def test_ten_thousand_scattered_parts_are_compared_with_few_groups(monkeypatch):
    compared, joined = [], mosaics._joined
    monkeypatch.setattr(mosaics, "_joined", lambda *pair: compared.append(1) or joined(*pair))
    parts = [part_of(40 * column, 30 * row, 25, 25, 4) for row in range(100) for column in range(100)]
    assert grouped(parts, (960, 540)) == parts
    assert len(compared) <= 10 * len(parts)


def test_neighbours_are_one_group_and_strangers_are_not():
    one, next_, far = part_of(100, 100, 50, 60, 3), part_of(120, 100, 50, 60, 3), part_of(900, 900, 50, 60, 3)
    assert grouped([one, next_, far], MOST) == [part_of(100, 100, 70, 60, 3), far]


def test_a_small_face_beside_a_large_one_is_a_group_of_its_own():
    large, small = part_of(100, 100, 400, 500, 0.5), part_of(450, 300, 30, 40, 4)
    assert grouped([large, small], MOST) == [large, small]


def test_a_group_is_not_larger_than_told():
    row = [part_of(left, 100, 100, 100, 1) for left in range(0, 1000, 50)]
    assert all(group.area.size[0] <= 300 for group in grouped(row, (300, 300)))


def test_the_picture_shows_the_parts_on_grey():
    photo = Image.new("RGB", PHOTO, "blue")
    photo.paste("red", (1000, 1000, 1100, 1100))
    (mosaic,) = packed([part_of(1000, 1000, 100, 100, 2), part_of(0, 0, 50, 50, 1)], MOST)
    drawn = mosaic.drawn(photo)
    assert drawn.size == mosaic.size == (258, 200)
    assert [drawn.getpixel(at) for at in ((100, 100), (220, 20), (204, 20))] == [(255, 0, 0), (0, 0, 255), (128,) * 3]


@given(parts, st.data())
def test_what_is_seen_in_a_cell_is_put_into_its_area(parts, data):
    for mosaic in packed(parts, MOST):
        area, place = cell = data.draw(st.sampled_from(mosaic.cells))
        inner = Box(0.25, 0.25, 0.5, 0.5, 90)
        (width, height), (across, down) = place.size, mosaic.size
        seen = Box(
            (place.left + inner.left * width) / across,
            (place.top + inner.top * height) / down,
            inner.width * width / across,
            inner.height * height / down,
            90,
        )
        ((box, found),) = mosaic.in_cells([seen])
        assert found == cell
        assert found.area == area
        assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0.25, 0.25, 0.75, 0.75))


def test_what_is_seen_between_cells_is_nothing_and_what_reaches_out_of_one_is_clipped():
    mosaic = Mosaic([Cell(Rectangle(0, 0, 50, 50), Rectangle(0, 0, 100, 100))])
    assert mosaic.size == (100, 100)
    wide = Mosaic([*mosaic.cells, Cell(Rectangle(500, 0, 550, 50), Rectangle(108, 0, 208, 100))])
    assert list(wide.in_cells([Box(102 / 208, 0.4, 4 / 208, 0.1, 90)])) == []
    ((box, cell),) = wide.in_cells([Box(0, 0.5, 110 / 208, 0.5, 90)])
    assert (cell, box.right) == (wide.cells[0], 1)


def test_halves_have_all_cells():
    cells = [Cell(Rectangle(0, 0, 1, 1), Rectangle(left, 0, left + 1, 1)) for left in range(5)]
    assert sorted(cell for half in Mosaic(cells).halves() for cell in half.cells) == cells
