"""The body that is drawn: round cones on the bodies of rehab37, its own proportions and clothes for each person.

Places are metres in the bodies of rehab37 (x forward, y up, z right; the standing man of 1.70 m); factors of a person's
bodies stretch them. Radii come from rehab37's markers, which lie 7 mm off the skin, and from looking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.viz.rendering.looks import Look
from rehabmotion.viz.rendering.trace import Array, Cones

Vec3 = tuple[float, float, float]
ROUND: Vec3 = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Shape:
    """A round cone on a body, from a to b (m), radii there, then stretched along the body's axes about a.

    part: what it is, which tells its colour and girth. span: how far along its limb its ends are (0 shoulder or hip,
    0.5 elbow or knee, 1 wrist or ankle): sleeves and trousers reach so far.
    """

    body: str
    part: str
    a: Vec3
    b: Vec3
    radii: tuple[float, float]
    stretch: Vec3 = ROUND
    span: tuple[float, float] | None = None


TRUNK = (
    Shape("pelvis", "hips", (-0.076, -0.028, -0.068), (-0.076, -0.028, 0.068), (0.098, 0.098), (1.06, 1.05, 1.0)),
    Shape("pelvis", "trunk", (-0.082, -0.01, 0.0), (-0.085, 0.085, 0.0), (0.096, 0.092), (1.0, 1.0, 1.52)),
    Shape("torso", "trunk", (0.010, 0.0, 0.0), (0.022, 0.17, 0.0), (0.091, 0.103), (1.0, 1.0, 1.48)),
    Shape("torso", "chest", (0.022, 0.16, 0.0), (0.002, 0.325, 0.0), (0.103, 0.070), (1.0, 1.0, 1.52)),
    Shape("torso", "chest", (0.0, 0.325, -0.120), (0.0, 0.325, 0.120), (0.060, 0.060)),
    Shape("torso", "neck", (-0.012, 0.37, 0.0), (0.014, 0.49, 0.0), (0.062, 0.053)),
    Shape("torso", "skull", (0.016, 0.570, 0.0), (0.016, 0.570, 0.0), (0.097, 0.097), (1.0, 0.98, 0.79)),
    Shape("torso", "jaw", (0.050, 0.530, 0.0), (0.066, 0.475, 0.0), (0.062, 0.042), (1.0, 1.0, 0.95)),
    Shape("torso", "nose", (0.112, 0.545, 0.0), (0.120, 0.522, 0.0), (0.008, 0.014)),
)
SIDED = (  # of the right side
    Shape("pelvis", "hips", (-0.112, -0.075, 0.068), (-0.085, -0.070, 0.075), (0.082, 0.082), (1.0, 1.0, 1.0)),
    Shape("torso", "shoulder", (-0.008, 0.402, 0.028), (-0.004, 0.352, 0.145), (0.047, 0.048)),
    Shape("torso", "chest", (0.045, 0.285, 0.070), (0.045, 0.285, 0.070), (0.075, 0.075), (0.85, 1.0, 1.0)),
    Shape("torso", "chest", (0.006, 0.24, 0.09), (0.0, 0.340, 0.140), (0.080, 0.054), (0.9, 1.0, 0.8)),  # armpit
    Shape("torso", "eye", (0.101, 0.557, 0.031), (0.101, 0.557, 0.031), (0.012, 0.012), (0.8, 0.7, 1.1)),
    Shape("torso", "ear", (0.018, 0.545, 0.076), (0.018, 0.545, 0.076), (0.027, 0.027), (0.7, 1.1, 0.4)),
    Shape("humerus", "shoulder", (-0.002, -0.006, -0.004), (0.0, -0.065, 0.004), (0.056, 0.051), span=(0, 0.1)),
    Shape("humerus", "upper_arm", (0.002, -0.050, 0.002), (0.0, -0.278, 0.0), (0.050, 0.039), span=(0.1, 0.5)),
    Shape("ulna", "forearm", (0.0, 0.0, 0.0), (0.002, -0.12, 0.012), (0.040, 0.038), span=(0.5, 0.75)),
    Shape("radius", "forearm", (0.0, -0.085, -0.008), (0.004, -0.228, 0.008), (0.037, 0.027), (0.88, 1, 1), (0.75, 1)),
    Shape("hand", "hand", (0.0, -0.005, 0.0), (-0.002, -0.080, 0.0), (0.030, 0.041), (0.46, 1.0, 1.0)),
    Shape("hand", "hand", (-0.002, -0.085, -0.002), (0.012, -0.160, -0.004), (0.037, 0.025), (0.38, 1.0, 1.0)),
    Shape("hand", "hand", (0.002, -0.025, 0.020), (0.016, -0.088, 0.050), (0.016, 0.011)),
    Shape(
        "femur", "thigh", (-0.002, -0.020, 0.006), (0.004, -0.22, 0.006), (0.091, 0.078), (1.0, 1.0, 0.98), (0, 0.27)
    ),
    Shape("femur", "thigh", (0.004, -0.20, 0.005), (0.002, -0.40, 0.0), (0.079, 0.055), span=(0.24, 0.5)),
    Shape("tibia", "shank", (0.002, -0.005, 0.0), (-0.014, -0.15, 0.003), (0.054, 0.056), span=(0.5, 0.68)),
    Shape("tibia", "shank", (-0.014, -0.15, 0.003), (-0.004, -0.395, 0.0), (0.056, 0.036), span=(0.68, 1.0)),
    Shape("talus", "foot", (-0.002, 0.010, 0.0), (-0.006, -0.025, 0.0), (0.037, 0.036)),
    Shape("calcn", "foot", (0.022, 0.014, 0.0), (0.085, 0.012, 0.0), (0.036, 0.035)),
    Shape("calcn", "foot", (0.055, 0.032, -0.002), (0.165, 0.004, 0.002), (0.040, 0.026), (1.0, 1.0, 1.2)),
    Shape("toes", "foot", (-0.010, 0.004, 0.0), (0.048, 0.001, 0.004), (0.024, 0.019), (1.0, 1.0, 1.75)),
)
_COVERED = {  # by shirt or trousers, whatever the sleeves
    "hips": "trousers", "trunk": "shirt", "chest": "shirt", "foot": "shoes",
}  # fmt: skip
_SHIRT, _TROUSERS = ("shoulder", "upper_arm", "forearm"), ("thigh", "shank")


@dataclass(frozen=True)
class Figure:
    """A person ready to be drawn. cones: on the bodies, of the person's own size; colour (P, 3) and, in every other
    stripe of `period` (P,) m (infinite: none), other (P, 3): from 0 to 1.
    """

    cones: Cones
    colour: NDArray[np.float32]
    other: NDArray[np.float32]
    period: NDArray[np.float32]


def figure(look: Look, bodies: Sequence[str], scales: Array) -> Figure:
    """Return a person of a look, for bodies of rehab37 in this order and their factors (B, 3).

    A body that is missing, or factors that are not above 0, raise UserError.
    """
    scales = np.asarray(scales, float)
    if scales.shape != (len(bodies), 3) or not (scales > 0).all() or not np.isfinite(scales).all():
        raise UserError(f"Expected factors above 0, ({len(bodies)}, 3), got {scales.shape}. Scale the model first.")
    worn = [(shape, slot) for shape in _shapes(look) for shape, slot in _dressed(shape, look)]
    missing = sorted({shape.body for shape, _ in worn} - set(bodies))
    if missing:
        raise UserError(f"Expected the bodies of rehab37, the model lacks {', '.join(missing)}.")
    rows = [list(bodies).index(shape.body) for shape, _ in worn]
    shapes = [_upright(shape, scales[row]) for (shape, _), row in zip(worn, rows, strict=True)]
    low, high, length, shape, centre = (np.array(part) for part in zip(*shapes, strict=True))
    fabrics = [look.fabrics[slot] for _, slot in worn]
    return Figure(
        Cones(np.array(rows), low, high, length, shape, centre),
        np.array([f.colour for f in fabrics], np.float32),
        np.array([f.other for f in fabrics], np.float32),
        np.array([f.period for f in fabrics], np.float32),
    )


def _shapes(look: Look) -> list[Shape]:
    """Return the shapes of a person: both sides, hair, belly, chest, each with its girth."""
    extra = list(TRUNK)
    if look.belly > 0:
        front = 0.02 + look.belly
        extra.append(Shape("torso", "trunk", (front, 0.01, 0.0), (front, 0.07, 0.0), (0.085, 0.085), (1, 1, 1.4)))
    extra += _hair(look)
    if look.print_ > 0 and look.bust == 0:  # on the front of the shirt
        extra.append(Shape("torso", "print", (0.100, 0.215, 0.0), (0.100, 0.215, 0.0), (0.065, 0.065), (0.5, 1.0, 1.1)))
    both = [_mirrored(shape, side) for shape in SIDED for side in "rl"]
    if look.bust > 0:
        bust = Shape("torso", "chest", (0.085, 0.215, 0.068), (0.040, 0.30, 0.060), (0.070, 0.060))
        bust = replace(bust, a=(0.052 + look.bust, 0.222, 0.066))
        both += [_mirrored(bust, side) for side in "rl"]
    return [_girthed(shape, look) for shape in (*extra, *both)]


def _hair(look: Look) -> list[Shape]:
    crown = Shape("torso", "hair", (0.003, 0.583, 0.0), (0.003, 0.583, 0.0), (0.101, 0.101), (1.0, 0.95, 0.82))
    if look.hair == "none":
        return []
    if look.hair == "cap":
        peak = Shape("torso", "hair", (0.07, 0.615, 0.0), (0.15, 0.600, 0.0), (0.06, 0.05), (1.0, 0.16, 1.1))
        return [replace(crown, a=(0.016, 0.588, 0.0), b=(0.016, 0.588, 0.0)), peak]
    if look.hair == "long":
        fall = Shape("torso", "hair", (-0.03, 0.56, 0.0), (-0.055, 0.40, 0.0), (0.075, 0.055), (0.8, 1.0, 1.15))
        return [crown, fall]
    if look.hair == "tail":
        return [crown, Shape("torso", "hair", (-0.10, 0.60, 0.0), (-0.125, 0.47, 0.0), (0.035, 0.022))]
    return [crown]


def _girthed(shape: Shape, look: Look) -> Shape:
    factor = look.girth.get(shape.part, 1.0)
    return replace(shape, radii=(shape.radii[0] * factor, shape.radii[1] * factor))


def _mirrored(shape: Shape, side: str) -> Shape:
    sign = 1.0 if side == "r" else -1.0
    a, b = ((x, y, sign * z) for x, y, z in (shape.a, shape.b))
    body = shape.body if shape.body in ("pelvis", "torso") else f"{shape.body}_{side}"
    return replace(shape, body=body, a=a, b=b)


def _dressed(shape: Shape, look: Look) -> list[tuple[Shape, str]]:
    """Return a shape and what covers it; a limb that cloth covers in part is skin, and cloth around some of it."""
    if shape.part in _SHIRT:
        cloth, reach = "shirt", look.sleeves
    elif shape.part in _TROUSERS:
        cloth, reach = "trousers", look.trousers
    else:
        slot = _COVERED.get(shape.part, shape.part)
        return [(_grown(shape, look.loose if slot in ("shirt", "trousers") else 0.0), slot)]
    first, last = shape.span or (0.0, 0.0)
    if reach >= last:
        return [(_grown(shape, look.loose), cloth)]
    if reach <= first:
        return [(shape, "skin")]
    share = (reach - first) / (last - first)
    a, b = np.array(shape.a), np.array(shape.b)
    ra, rb = shape.radii
    end: Vec3 = tuple((a + share * (b - a)).tolist())
    part = replace(shape, b=end, radii=(ra, ra + share * (rb - ra)))
    return [(shape, "skin"), (_grown(part, look.loose + 0.004), cloth)]


def _grown(shape: Shape, by: float) -> Shape:
    return replace(shape, radii=(shape.radii[0] + by, shape.radii[1] + by))


def _upright(shape: Shape, factors: Array) -> tuple[float, float, float, Array, Array]:
    """Return low radius, high radius, length, axes -> body (3, 3), centre (3,) of a shape on a body of these factors.

    Where one sphere would hold the other, it alone is drawn.
    """
    stretch = np.array(shape.stretch)
    along = (np.array(shape.b) - shape.a) / stretch
    length = float(np.linalg.norm(along))
    low, high = shape.radii
    if length <= abs(low - high) + 1e-6:
        place = shape.a if low >= high else shape.b
        return max(low, high), max(low, high), 0.0, np.diag(factors * stretch), factors * place
    y = along / length
    x = np.cross(y, (0.0, 0.0, 1.0) if abs(y[2]) < 0.9 else (1.0, 0.0, 0.0))
    x = x / np.linalg.norm(x)
    axes = np.stack([x, y, np.cross(x, y)], axis=1)
    return low, high, length, (factors * stretch)[:, None] * axes, factors * shape.a
