"""What a photo may be: one place for the upload form, the image code and the API."""

MAX_BYTES = 35_000_000
MAX_PIXELS = 100_000_000
MIN_SIDE = 16  # pixels
MAX_RATIO = 200  # of the sides: panoramas reach 20, and the services and formats that a longer one meets end at 65,535
