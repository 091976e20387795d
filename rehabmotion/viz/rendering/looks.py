"""What a person looks like, drawn by chance: girth, clothes, hair and their colours."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]  # 0 to 1
SKIN = (  # from light to dark; tones between neighbours are drawn
    (0.96, 0.87, 0.80), (0.93, 0.80, 0.70), (0.87, 0.71, 0.58), (0.78, 0.60, 0.45), (0.66, 0.47, 0.34),
    (0.52, 0.36, 0.26), (0.38, 0.26, 0.19), (0.27, 0.18, 0.14),
)  # fmt: skip
HAIR = (
    (0.06, 0.05, 0.05), (0.16, 0.10, 0.07), (0.30, 0.19, 0.11), (0.50, 0.35, 0.20), (0.74, 0.60, 0.38),
    (0.62, 0.62, 0.62), (0.85, 0.85, 0.84), (0.45, 0.20, 0.10),
)  # fmt: skip
STYLES = ("short", "short", "none", "long", "tail", "cap")
SLEEVES = (0.0, 0.3, 0.4, 0.48, 1.0)  # of the arm: none, T-shirts, to the wrist
TROUSERS = (0.2, 0.36, 0.46, 0.62, 0.99)  # of the leg: shorts, to the knee, to the calf, to the ankle


@dataclass(frozen=True)
class Fabric:
    """A colour, and another in every other stripe of `period` m along the limb (infinite: plain)."""

    colour: Colour
    other: Colour
    period: float = math.inf


@dataclass(frozen=True)
class Look:
    """A person. girth: factors of radii by part; sleeves, trousers: how far along the limb; loose: m that cloth stands
    off; belly, bust: m that they stand out, 0: none; print_: 1 where the shirt bears one; fabrics by what is covered.
    """

    girth: dict[str, float]
    sleeves: float
    trousers: float
    loose: float
    belly: float
    bust: float
    print_: int
    hair: str
    fabrics: dict[str, Fabric]


def draw_look(rng: np.random.Generator) -> Look:
    """Return a person drawn by chance: adults, slim to stout."""
    whole = float(np.clip(rng.normal(1.03, 0.08), 0.88, 1.28))
    limb = 1 + 0.7 * (whole - 1)
    stout = whole > 1.08

    def near(factor: float, spread: float) -> float:
        return factor * float(np.clip(rng.normal(1, spread), 1 - 2 * spread, 1 + 2 * spread))

    girth = {
        "trunk": near(whole, 0.04), "hips": near(whole, 0.04), "chest": near(1 + 0.6 * (whole - 1), 0.03),
        "shoulder": near(limb, 0.03), "upper_arm": near(limb, 0.05), "forearm": near(limb, 0.04),
        "thigh": near(limb, 0.04), "shank": near(limb, 0.04), "neck": near(limb, 0.05), "hand": near(1, 0.04),
        "foot": near(1.03, 0.03),
    }  # fmt: skip
    return Look(
        girth=girth,
        sleeves=float(rng.choice(SLEEVES)),
        trousers=float(rng.choice(TROUSERS)),
        loose=float(rng.uniform(0.001, 0.010)),
        belly=float(rng.uniform(0.02, 0.06)) if stout and rng.random() < 0.7 else 0.0,
        bust=float(rng.uniform(0.015, 0.035)) if rng.random() < 0.4 else 0.0,
        print_=int(rng.random() < 0.3),
        hair=str(rng.choice(STYLES)),
        fabrics=_fabrics(rng),
    )


def _fabrics(rng: np.random.Generator) -> dict[str, Fabric]:
    skin, hair = _between(SKIN, rng), _jittered(HAIR[int(rng.integers(len(HAIR)))], rng)
    shirt = _cloth(rng, 0.25)
    bearded = rng.random() < 0.2
    trousers = shirt if rng.random() < 0.08 else _cloth(rng, 0.06)
    slots: dict[str, Colour] = {
        "skin": skin, "neck": skin, "skull": skin, "ear": skin, "hand": skin, "hair": hair,
        "jaw": hair if bearded else skin, "nose": _scaled(skin, 0.93), "eye": (0.10, 0.08, 0.08),
        "print": draw_colour(rng), "shoes": draw_colour(rng),
    }  # fmt: skip
    plain = {slot: Fabric(colour, colour) for slot, colour in slots.items()}
    return {**plain, "shirt": shirt, "trousers": trousers}


def _cloth(rng: np.random.Generator, striped: float) -> Fabric:
    colour, other = draw_colour(rng), draw_colour(rng)
    return Fabric(colour, other, float(rng.uniform(0.02, 0.10)) if rng.random() < striped else math.inf)


def draw_colour(rng: np.random.Generator) -> Colour:
    """Return a colour of things people own: a third are near black, grey or white."""
    hue, value = float(rng.random()), float(rng.uniform(0.12, 1.0))
    saturation = float(rng.uniform(0, 0.08) if rng.random() < 0.35 else rng.uniform(0.15, 0.85))
    return colorsys.hsv_to_rgb(hue, saturation, value)


def _between(colours: tuple[Colour, ...], rng: np.random.Generator) -> Colour:
    at = float(rng.uniform(0, len(colours) - 1))
    first = min(int(at), len(colours) - 2)
    a, b = np.array(colours[first]), np.array(colours[first + 1])
    return _jittered(tuple((a + (at - first) * (b - a)).tolist()), rng)


def _jittered(colour: Colour, rng: np.random.Generator) -> Colour:
    r, g, b = np.clip(np.array(colour) * rng.uniform(0.93, 1.07, 3), 0, 1).tolist()
    return r, g, b


def _scaled(colour: Colour, factor: float) -> Colour:
    r, g, b = colour
    return r * factor, g * factor, b * factor
