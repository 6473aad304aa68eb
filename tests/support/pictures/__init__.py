"""Photos, scenes composed of them, and measures of what is visible in a picture."""
