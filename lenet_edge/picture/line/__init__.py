"""Find the line of digits on a page, level it and scale it."""
