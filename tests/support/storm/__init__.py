"""Thousands of jobs in a deployed stack while every service fails at times. The right end of each job is known."""
