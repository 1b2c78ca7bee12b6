"""Synthetic fields from a seed: strings of handwritten digits on one line, and fields without digits."""
