"""From a page to a strip: find a line of digits, lay it level, scale it."""
