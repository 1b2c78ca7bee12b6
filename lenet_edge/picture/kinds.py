"""Tell by its first bytes what a picture's file is, and what is not read here."""

from __future__ import annotations

HEIC = "HEIC"

_TGA_TYPES = b"\x01\x02\x03\x09\x0a\x0b"
_BRANDS = {
    HEIC: (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
    "AVIF": (b"avif", b"avis"),
}
_STARTS = {
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n", b"\xff\x4f\xff\x51"),
    "JPEG XL": (b"\0\0\0\x0cJXL ", b"\xff\x0a"),
    "ICO": (b"\0\0\1\0",),
    "PDF": (b"%PDF-",),
    "PSD": (b"8BPS",),
    "SVG": (b"<svg", b"<?xml"),
}


def is_idx(content: bytes) -> bool:
    """Return whether `content` may be an IDX file, plain or gzipped: to be read as one or refused as one."""
    return content[:2] == b"\x1f\x8b" or (content[:2] == b"\0\0" and not other_kind(content))


def other_kind(content: bytes) -> str:
    """Return the name of a kind of file that Pillow does not read here, by its first bytes; "" for others."""
    if content[4:8] == b"ftyp":
        return next((kind for kind, brands in _BRANDS.items() if content[8:12] in brands), "a film")
    for kind, starts in _STARTS.items():
        if content.startswith(starts):
            return kind
    # A TGA file has no mark of its own; an IDX file has one to three dimensions where this has a zero.
    plain = len(content) > 18 and content[:1] == b"\0" and content[1:2] in (b"\0", b"\1")
    return "TGA" if plain and content[2:3] in _tga_types(content) and content[3:5] == b"\0\0" else ""


def _tga_types(content: bytes) -> tuple[bytes, ...]:
    """Return the types of TGA with or without a palette, as its second byte says."""
    types = _TGA_TYPES[::3] if content[1:2] == b"\1" else _TGA_TYPES
    return tuple(bytes([one]) for one in types)
