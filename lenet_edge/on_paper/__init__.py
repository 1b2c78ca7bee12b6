"""Photographs of digits on paper, drawn, and how well they are read."""
