"""Synthetic fields: strings of handwritten digits on one line, and fields without any, from a seed."""
