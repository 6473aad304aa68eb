"""Thousands of jobs through a deployed stack while everything fails that can: what each must come to is known."""
