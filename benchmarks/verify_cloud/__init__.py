"""Verifies faceblur in a cloud account: deploys a stack, tries it, writes down what it saw, and deletes the stack."""
