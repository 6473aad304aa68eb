"""What photos may be and what jobs may ask for: one place for the upload form, the image code and the API."""

from typing import Literal

MAX_BYTES = 35_000_000
MAX_PIXELS = 100_000_000
MIN_SIDE = 16  # pixels
# The longer side divided by the shorter: panoramas reach 20. Services and formats end at sides of 65,535 pixels, which
# a longer strip would exceed.
MAX_RATIO = 200
# A job's faces. A function hides this many in its time, and their boxes are a file of 3 MB.
MAX_FACES = 20_000

StyleKind = Literal["blur", "pixelate", "solid"]
Shape = Literal["ellipse", "rounded", "box"]
OutputFormat = Literal["same", "jpeg", "png", "webp", "avif"]

# A detector draws the box of a face from the forehead to the chin, and is a little off at times. With the default
# padding an ellipse covers the hairline and the ears too. With the least its opaque part is still larger than the face.
MIN_PADDING = 0.1
DEFAULT_PADDING = 0.24

# Each step of strength takes away one of the cells that are left of a face. What the least leaves cannot be undone.
MIN_STRENGTH, MAX_STRENGTH = 1, 3

# The middle of the scale (0…100) on which all detectors' confidences lie, chosen for recall.
DEFAULT_CONFIDENCE = 50.0
