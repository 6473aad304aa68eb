"""Bad files by format, and how to try them in the image code and in a deployed stack."""
