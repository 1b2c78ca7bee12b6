"""Measure how long a file takes, where the time goes, and which layout is quickest. Needs a runtime."""
