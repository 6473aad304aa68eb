"""A deployed stack, which tests use through its API, its outputs and the `faceblur` command."""
