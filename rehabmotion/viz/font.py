"""A small stroke font: ASCII letters as lines on a grid, so that videos can carry captions without a font library.

Each glyph is a list of polylines; a point is two digits, x 0..4 and y 0..8, with the baseline at y = 2, small letters
up to y = 6 and capitals up to y = 8.
"""

from __future__ import annotations

import unicodedata

from rehabmotion.viz.raster import Array, Picture

BASELINE = 2
# fmt: off
_GLYPHS = {
    "A": "02 28 42|14 34", "B": "02 08 38 47 46 35 05|35 44 43 32 02", "C": "47 38 18 07 03 12 32 43",
    "D": "02 08 28 46 44 22 02", "E": "48 08 02 42|05 35", "F": "48 08 02|05 35", "G": "47 38 18 07 03 12 32 43 45 25",
    "H": "02 08|42 48|05 45", "I": "18 38|28 22|12 32", "J": "48 43 32 12 03", "K": "02 08|48 04|15 42",
    "L": "08 02 42", "M": "02 08 25 48 42", "N": "02 08 42 48", "O": "18 07 03 12 32 43 47 38 18",
    "P": "02 08 38 47 46 35 05", "Q": "18 07 03 12 32 43 47 38 18|24 41", "R": "02 08 38 47 46 35 05|25 42",
    "S": "47 38 18 07 06 15 35 44 43 32 12 03", "T": "08 48|28 22", "U": "08 03 12 32 43 48", "V": "08 22 48",
    "W": "08 12 26 32 48", "X": "02 48|08 42", "Y": "08 25 48|25 22", "Z": "08 48 02 42",
    "a": "06 36 45 42|44 14 03 12 32 43", "b": "08 02|05 16 36 45 43 32 12 03", "c": "46 16 05 03 12 42",
    "d": "48 42|45 36 16 05 03 12 32 43", "e": "04 44 45 36 16 05 03 12 42", "f": "48 38 27 22|06 46",
    "g": "45 36 16 05 03 12 32 43|46 41 30 10", "h": "08 02|05 16 36 45 42", "i": "28 28|16 26 22|12 32",
    "j": "38 38|16 36 31 20 10", "k": "08 02|46 04|15 42", "l": "18 28 22|12 32", "m": "02 06|05 16 25 22|25 36 45 42",
    "n": "02 06|05 16 36 45 42", "o": "16 05 03 12 32 43 45 36 16", "p": "00 06|05 16 36 45 43 32 12 03",
    "q": "40 46|45 36 16 05 03 12 32 43", "r": "12 16|15 26 46", "s": "46 16 05 14 34 43 32 02",
    "t": "28 23 32 42|06 46", "u": "06 03 12 32 43|46 42", "v": "06 22 46", "w": "06 12 25 32 46", "x": "02 46|06 42",
    "y": "06 22|46 10 00", "z": "06 46 02 42",
    "0": "18 07 03 12 32 43 47 38 18|13 37", "1": "06 28 22|02 42", "2": "07 18 38 47 46 02 42",
    "3": "08 48 25 35 44 43 32 12 03", "4": "32 38 04 44", "5": "48 08 05 35 44 43 32 02",
    "6": "38 18 06 03 12 32 43 44 35 15 04", "7": "08 48 12",
    "8": "15 06 07 18 38 47 46 35 15 04 03 12 32 43 44 35", "9": "46 35 15 06 07 18 38 47 44 32 12",
    ".": "22 22", ",": "22 11", ":": "22 22|26 26", ";": "22 11|26 26", "!": "28 24|22 22",
    "?": "07 18 38 47 46 25 24|22 22", "'": "28 26", '"': "18 16|38 36", "-": "15 35", "_": "01 41", "+": "05 45|27 23",
    "=": "04 44|06 46", "/": "01 48", "\\": "08 41", "|": "28 20", "(": "38 26 24 32", ")": "18 26 24 12",
    "[": "38 18 12 32", "]": "18 38 32 12", "{": "38 27 26 15 24 23 32", "}": "18 27 26 35 24 23 12", "<": "47 15 43",
    ">": "07 35 03", "*": "07 43|03 47|27 23", "#": "12 18|32 38|04 44|06 46", "%": "02 48|07 07|43 43",
    "&": "42 07 18 27 04 03 12 22 44", "@": "33 36 16 14 33 44 47 38 18 07 03 12 32",
    "$": "46 36 16 05 35 44 33 03|28 22", "^": "06 28 46", "`": "18 27", "~": "04 15 34 45", " ": "",
}
# fmt: on
_TYPOGRAPHIC = str.maketrans("–—‘’“”−×", "--''\"\"-x")
_UNKNOWN = "02 08 48 42 02"
_ADVANCE = 6.0  # grid units from one letter to the next


def plain(text: str) -> str:
    """Return the text in letters the font has: accents dropped, white space made single, the rest as boxes."""
    spelled = unicodedata.normalize("NFKD", text.translate(_TYPOGRAPHIC))
    return " ".join("".join(c for c in spelled if not unicodedata.combining(c)).split())


def text_width(text: str, size: float) -> float:
    """Return the width in pixels of plain text whose capitals are `size` pixels high."""
    return max(len(text) * _ADVANCE - 2, 0) * size / 6


def fit_text(text: str, size: float, width: float) -> str:
    """Return plain text, cut with dots where it would be wider than `width` pixels."""
    text = plain(text)
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "..", size) > width:
        text = text[:-1]
    return text.rstrip() + ".."


def draw_text(picture: Picture, text: str, x: float, y: float, size: float, colour: Array) -> None:
    """Draw plain text with its baseline at y and its left edge at x; capitals are `size` pixels high."""
    unit = size / 6
    for place, letter in enumerate(text):
        left = x + place * _ADVANCE * unit
        for stroke in filter(None, _GLYPHS.get(letter, _UNKNOWN).split("|")):
            points = [(left + int(p[0]) * unit, y - (int(p[1]) - BASELINE) * unit) for p in stroke.split()]
            for a, b in zip(points, points[1:] or points, strict=False):
                thickness = 1.2 * unit if a == b else 0.75 * unit
                picture.line(a, b, max(thickness, 1.2), colour)
