"""How much of a face still shows in the result, judged by the pixels of the photo before and after.

Paint keeps the average colours of a face, so colours tell nothing. A face is recognised by its detail: the lines of
brows, eyes, nose and mouth. `shown` compares the detail of both pictures by the contrast and structure term of SSIM
(Wang et al., "Image quality assessment", 2004), 2 cov(x, y) / (var x + var y), in a small window around each pixel of
the inner ellipse. In an unchanged window it is 1. In a window of paint it is about 0, whatever noise the paint has,
because paint does not depend on the detail under it. Under thin paint, which leaves a quarter of the contrast, it is
still 0.5. The mean over the ellipse is therefore about the part of the face that shows. Strong lines count no more than
faint ones.

On real faces of 16 pixels and more, it was at most 0.1 for 99 in 100 of those that were completely under opaque paint,
and its median was 0.42 for those with 40 to 50 % outside of it. On faces of 8 to 16 pixels these values were 0.21 and
0.40: there, few pixels correlate by chance, and an edge of paint disturbs its neighbours.

A face without any detail, such as one in the dark, has none to lose. Such a face shows where its pixels have not
changed.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from faceblur.photo.coverage import INNER_HEIGHT, INNER_WIDTH
from tests.support.pictures.truth import Corners

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# A face is hidden if less than this part of it shows. The bound is not 0, because the boxes that people draw are wider
# than a detector's: ears, hair and the rim of a mask also lie in the inner ellipse. It is well below a half.
HIDDEN = 1 / 3

AROUND = 0.5  # the margin around the box, as a fraction of its sides, so that the ellipse has no edge
LARGEST = 40  # pixels: wider faces are reduced to this width, so that detail is features and not skin
DETAIL = 0.08  # of the width: the standard deviation of the blur that removes detail, and of the window
FINEST = 0.6  # pixels: the least standard deviation
HIGHEST = 40  # pixels: higher plates are reduced to this height
LETTERS = 0.15  # of a plate's height: the standard deviation of the blur that removes its detail, and of the window
NOISE = 1.0  # levels (of 255): detail of a lower standard deviation means nothing


def shown(before: Image.Image, after: Image.Image, box: Corners) -> float:
    """The part of a face that still shows, about 0…1, in two RGB pictures of one size; its box is in their pixels."""
    area = Corners(
        max(floor(box.left - AROUND * box.width), 0),
        max(floor(box.top - AROUND * box.height), 0),
        min(ceil(box.right + AROUND * box.width), before.width),
        min(ceil(box.bottom + AROUND * box.height), before.height),
    )
    scale = min(1.0, LARGEST / box.width)
    size = ceil(area.width * scale), ceil(area.height * scale)
    grey, grey_after = (
        np.asarray(picture.resize(size, Image.Resampling.BOX, area).convert("L"), float) for picture in (before, after)
    )
    inner = inner_ellipse(size, area, box)
    blur = max(DETAIL * box.width * scale, FINEST)
    detail, detail_after = (each - gaussian_filter(each, blur) for each in (grey, grey_after))
    weight = gaussian_filter(inner.astype(float), blur)[inner]

    def in_windows(product: Floats) -> Floats:
        """The mean in the window around each pixel of the inner ellipse, over the pixels of the ellipse."""
        mean: Floats = gaussian_filter(product * inner, blur)[inner] / weight
        return mean

    variance = in_windows(detail**2)
    if variance.mean() < NOISE**2:
        return float((np.abs(grey - grey_after)[inner] < NOISE).mean())
    both = variance + in_windows(detail_after**2) + NOISE**2
    return float((2 * in_windows(detail * detail_after) / both).mean())


def hidden_share(before: Image.Image, after: Image.Image, box: Corners) -> float:
    """The share (0…1) of the pixels of a plate that no longer show it, in two RGB pictures of one size.

    It compares as `shown` does, around each pixel of the box. A pixel with less than HIDDEN of its detail is hidden.
    """
    scale = min(1.0, HIGHEST / box.height)
    area = Corners(
        max(floor(box.left - box.height), 0),
        max(floor(box.top - box.height), 0),
        min(ceil(box.right + box.height), before.width),
        min(ceil(box.bottom + box.height), before.height),
    )
    size = ceil(area.width * scale), ceil(area.height * scale)
    grey, grey_after = (
        np.asarray(picture.resize(size, Image.Resampling.BOX, area).convert("L"), float) for picture in (before, after)
    )
    blur = max(LETTERS * box.height * scale, FINEST)
    detail, detail_after = (each - gaussian_filter(each, blur) for each in (grey, grey_after))
    variance = gaussian_filter(detail**2, blur)
    both = variance + gaussian_filter(detail_after**2, blur) + NOISE**2
    same = 2 * gaussian_filter(detail * detail_after, blur) / both
    hidden = np.where(variance < NOISE**2, np.abs(grey - grey_after) >= NOISE, same < HIDDEN)
    left, top, right, bottom = (
        round((edge - start) * scale)
        for edge, start in zip(box, (area.left, area.top, area.left, area.top), strict=True)
    )
    return float(hidden[top:bottom, left:right].mean())


def inner_ellipse(size: tuple[int, int], area: Corners, box: Corners) -> NDArray[np.bool_]:
    """Which pixels of a picture of this size, which shows the area, are in the inner ellipse of the face in the box."""
    wide, high = area.width / size[0], area.height / size[1]  # of a pixel
    # A circle with a radius of a pixel holds the middle of a pixel, wherever it lies.
    across = max(INNER_WIDTH * box.width / 2, wide)
    down = max(INNER_HEIGHT * box.height / 2, high)
    x = area.left + (np.arange(size[0]) + 0.5) * wide - (box.left + box.right) / 2
    y = area.top + (np.arange(size[1]) + 0.5) * high - (box.bottom - INNER_HEIGHT * box.height / 2)
    inner: NDArray[np.bool_] = (x / across) ** 2 + (y[:, None] / down) ** 2 <= 1
    return inner
