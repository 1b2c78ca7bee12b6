"""Measure how long a file takes, where the time goes, and which layout is fastest. Needs a runtime."""
