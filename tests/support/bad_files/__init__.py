"""Bad files by format, and what becomes of them in the image code and in a deployed stack."""
