"""The limits of photos and of job options, for the upload form, the image code and the API."""

from typing import Literal, get_args

MAX_BYTES = 35_000_000  # of an upload
# A result may be larger than the upload: a JPEG stored as PNG takes three to ten times the bytes. A function holds the
# whole file in memory (twice while it is written), beside up to 400 MB of pixels.
MAX_RESULT_BYTES = 200_000_000
MAX_PIXELS = 100_000_000
# Some encoders take more memory, so a function with 3,008 MB can write only this many pixels, as measured by
# `make bench-memory`. The second part of the key says whether the picture has transparency.
MAX_PIXELS_WRITTEN = {
    ("AVIF", False): 64_000_000,
    ("AVIF", True): 60_000_000,
    ("WEBP", True): 64_000_000,
}
MAX_PIXELS_LOSSLESS_WEBP = 64_000_000
MIN_SIDE = 16  # pixels
# The longer side divided by the shorter one. Panoramas reach 20. A longer strip would exceed the limit of services and
# formats, which is 65,535 pixels a side.
MAX_RATIO = 200
# The number of boxes in a job. A function can hide this many before its timeout, and their boxes take 4 MB.
MAX_BOXES = 20_000

# The kinds of things that can be hidden.
Kind = Literal["face", "plate", "text"]
KINDS: tuple[Kind, ...] = get_args(Kind)
StyleKind = Literal["blur", "pixelate", "solid"]
Shape = Literal["ellipse", "rounded", "box"]
OutputFormat = Literal["same", "jpeg", "png", "webp", "avif"]
MetadataKind = Literal["time", "position", "camera", "credit", "panorama"]

# A detector's box reaches from the forehead to the chin and may be a little off. With the default padding, the ellipse
# also covers the hairline and the ears. With the least padding, its opaque part is still larger than the face.
MIN_PADDING = 0.1
DEFAULT_PADDING = 0.24

# Each step of strength removes one of the cells that remain of a face. Even the lowest strength cannot be undone.
MIN_STRENGTH, MAX_STRENGTH = 1, 3

# On the scale (0…100) of all detectors. It is chosen for recall.
DEFAULT_CONFIDENCE = 50.0

# A job and its photo live for a day. After a redo in the last of these hours, the result is still there for some hours.
MAX_HOURS_KEPT = 20
