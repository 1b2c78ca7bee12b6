"""Synthetic photographs of digits on paper, and how well they are read."""
