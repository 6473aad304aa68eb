"""How much of a face still shows in the result, judged from the pixels of the photo before and after.

Paint keeps the average colours of a face, so colours tell nothing. What makes a face is its detail: the lines of brows,
eyes, nose and mouth. `shown` compares the detail of both pictures as the structure term of SSIM does (Wang et al.,
"Image quality assessment", 2004): it is the correlation in a small window, averaged over all windows of the face, so
that each part of the face counts by its area and not by its contrast. Paint does not depend on the detail under it, so
in a window of paint the correlation is 0 on average, whatever noise the paint has. The average over a face is therefore
about the part of it that shows: 1 for an untouched face, 0.5 for a face of which one half is covered. Faint detail
counts as much as strong detail: what shines through thin paint shows.

A face without any detail, such as one in the dark, has none to lose. Of such a face those pixels show that have not
changed.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from truth import Corners

from faceblur.coverage import INNER_HEIGHT, INNER_WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# A face is hidden if less than this part of it shows. Few pixels correlate by chance: a covered face of 8 pixels
# reaches 0.2 at times.
HIDDEN = 0.25

AROUND = 0.5  # of the box's sides is looked at on each side of it
LARGEST = 40  # pixels: wider faces are reduced to this width, so that detail means features and not skin
DETAIL = 0.08  # of the width: the standard deviation of the blur that detail does not survive
FINEST = 0.8  # pixels: the least of these
WINDOW = 1.5  # the standard deviation of a window, as a multiple of the blur's
NOISE = 1.0  # levels (of 255): detail of a lower standard deviation means nothing
FAINT = 0.2  # of a face's detail: what is fainter counts less
TINY = 1e-9  # keeps a window without any detail from dividing by nothing


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
    grey, grey_left = (
        np.asarray(picture.resize(size, Image.Resampling.BOX, area).convert("L"), float) for picture in (before, after)
    )
    inner = inner_ellipse(size, area, box)
    blur = max(DETAIL * box.width * scale, FINEST)
    detail, detail_left = (each - gaussian_filter(each, blur) for each in (grey, grey_left))

    def in_windows(product: Floats) -> Floats:
        """The mean in the window around each pixel of the inner ellipse."""
        return gaussian_filter(product, WINDOW * blur)[inner]

    variance, variance_left = in_windows(detail**2), in_windows(detail_left**2)
    if variance.mean() < NOISE**2:
        return float((np.abs(grey - grey_left)[inner] < NOISE).mean())
    least = NOISE**2 + FAINT**2 * variance.mean()
    correlation = in_windows(detail * detail_left) / np.sqrt(variance * (variance_left + least) + TINY)
    return float(correlation.mean())


def inner_ellipse(size: tuple[int, int], area: Corners, box: Corners) -> NDArray[np.bool_]:
    """Which pixels of a picture of this size, which shows the area, belong to the face in the box, brows to chin."""
    across, down = (np.arange(side) + 0.5 for side in size)
    x = (across * area.width / size[0] + area.left - box.left) / box.width
    y = (down * area.height / size[1] + area.top - box.top) / box.height
    return ((x - 0.5) / (INNER_WIDTH / 2)) ** 2 + ((y[:, None] - 1) / (INNER_HEIGHT / 2) + 1) ** 2 <= 1
