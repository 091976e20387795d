"""Where the points that detectors see lie on rehab37: markers `point_NAME`, beside those of the model's own sets.

Places are anatomy at the size of the model, 1.70 m: what a detector means by a point differs from it by a centimetre or
three, differently for each detector; who learns from these points should let them be off by as much.
"""

from __future__ import annotations

from rehabmotion.biomech.description import Frame, Marker, Model, Vec3

POINT = "point_"
# x forward, y up, z right in the standing body; those of the right side, the left is their mirror image
MIDDLE: dict[str, tuple[str, Vec3]] = {
    "nose": ("torso", (0.125, 0.520, 0.0)),
    "neck": ("torso", (0.015, 0.445, 0.0)),
    "head_top": ("torso", (0.020, 0.665, 0.0)),
}
RIGHT: dict[str, tuple[str, Vec3]] = {
    "eye": ("torso", (0.102, 0.555, 0.032)),
    "ear": ("torso", (0.022, 0.540, 0.075)),
    "shoulder": ("humerus", (0.0, 0.0, 0.0)),
    "elbow": ("ulna", (0.0, 0.0, 0.0)),
    "wrist": ("hand", (0.0, 0.0, 0.0)),
    "thumb": ("hand", (0.015, -0.050, 0.045)),
    "index": ("hand", (-0.005, -0.090, 0.028)),
    "pinky": ("hand", (-0.005, -0.078, -0.035)),
    "hip": ("femur", (0.0, 0.0, 0.0)),
    "knee": ("tibia", (0.0, 0.0, 0.0)),
    "ankle": ("talus", (0.0, 0.0, 0.0)),
    "heel": ("calcn", (-0.022, 0.008, 0.0)),
    "big_toe": ("toes", (0.055, 0.0, -0.020)),
    "small_toe": ("toes", (0.012, -0.004, 0.050)),
}


def landmarks(names: tuple[str, ...]) -> tuple[Marker, ...]:
    """Return markers of detector points in this order: `nose`, `left_knee` ... An unknown name raises KeyError."""
    return tuple(_marker(name) for name in names)


def with_landmarks(model: Model, names: tuple[str, ...]) -> Model:
    """Return rehab37 with these points behind its own markers."""
    return model.with_markers([*model.markers, *landmarks(names)])


def _marker(name: str) -> Marker:
    if name in MIDDLE:
        body, place = MIDDLE[name]
        return Marker(POINT + name, Frame(body), place, True)
    side, part = name.split("_", 1)
    body, (x, y, z) = RIGHT[part]
    if body == "torso":
        return Marker(POINT + name, Frame(body), (x, y, z if side == "right" else -z), True)
    return Marker(POINT + name, Frame(f"{body}_{side[0]}"), (x, y, z if side == "right" else -z), True)
