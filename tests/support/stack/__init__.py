"""A deployed stack as the tests drive it: through its API, its outputs and the `faceblur` command."""
