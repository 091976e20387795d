"""Joint centres from the 39 Plug-in-Gait markers: only the pelvis has a published regression that needs no caliper.

The set gives no leg lengths and no joint widths, and one lateral marker per knee, ankle and elbow. What is assumed
instead stands here as constants and goes into meta["joint_centres"].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.geometry.rotations import normalise
from rehabmotion.motion import CANONICAL, Motion

# fmt: off
MARKERS = (
    "LFHD", "RFHD", "LBHD", "RBHD", "C7", "T10", "CLAV", "STRN", "RBAK", "LSHO", "LUPA", "LELB", "LFRM", "LWRA",
    "LWRB", "LFIN", "RSHO", "RUPA", "RELB", "RFRM", "RWRA", "RWRB", "RFIN", "LASI", "RASI", "LPSI", "RPSI", "LTHI",
    "LKNE", "LTIB", "LANK", "LHEE", "LTOE", "RTHI", "RKNE", "RTIB", "RANK", "RHEE", "RTOE",
)
# fmt: on

MARKER_RADIUS = 0.007  # usual 14 mm markers; the set does not say
KNEE_WIDTH, ANKLE_WIDTH, ELBOW_WIDTH = 0.100, 0.070, 0.070  # adult means with skin, metres
SHOULDER_DROP = 0.17  # of the distance between the acromion markers, Rab et al. 2002
TOE_DROP = 0.02  # marker radius and half the thickness of the forefoot

METHODS = {
    "hip": "Harrington et al. 2007 from pelvic width and depth, marker radius 7 mm removed",
    "knee": "lateral marker moved in by half of 100 mm + 7 mm along the mediolateral axis of shank and foot",
    "ankle": "lateral marker moved in by half of 70 mm + 7 mm along the mediolateral axis of shank and foot",
    "foot": "toe marker moved 20 mm towards the sole",
    "shoulder": "17 % of the acromion distance below the acromion marker, along the trunk (Rab et al. 2002)",
    "elbow": "lateral marker moved in by half of 70 mm + 7 mm, at right angles to upper arm and forearm",
    "wrist": "midpoint of the two wrist markers",
    "trunk and head": "interpolated between hips, T10, STRN, C7, CLAV and the four head markers",
}

Points = dict[str, NDArray[np.float64]]  # marker or joint -> (T, 3) metres


def vicon_joint_centres(motion: Motion) -> Motion:
    """Return the canonical 22 joints of a motion on the 39 markers; a joint is valid where all its markers are.

    Hips: A. Harrington et al., "Prediction of the hip joint centre in adults, children, and patients with cerebral
    palsy based on magnetic resonance imaging", J Biomech 40(3), 2007. With the origin midway between the ASIS, x
    forward in the plane of ASIS and PSIS, y up, z to the side, pelvic width PW and depth PD, in mm:

        x = -0.24 PD - 9.9        y = -0.30 PW - 10.9        z = 0.33 PW + 7.3

    (240 mm wide and 150 mm deep: 45.9 mm behind, 82.9 mm below and 86.5 mm beside the origin.) PW and PD are the
    clip's medians, so that the pelvis stays rigid. Knee and ankle have a lateral marker only: it is moved inwards by
    half an assumed joint width and the marker radius, along the axis at right angles to shank and foot; the knee
    then lies where the line to the marker is at right angles to the thigh. In deep squats the skin carries the knee
    marker along, up to 7 cm from the ankle marker's rigid distance: bone lengths are not constant here. All
    assumptions are named in meta["joint_centres"].
    """
    m, seen = _markers(motion)
    joints: Points = {}
    joints |= _hips(m, seen)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        joints |= _leg(m, joints, side, sign)
        joints |= _arm(m, seen, side, sign)
    joints |= _trunk(m, joints)
    positions = np.stack([joints[name] for name in CANONICAL.joint_names], axis=1)
    valid = np.stack([_all_seen(seen, SOURCES[name]) for name in CANONICAL.joint_names], axis=1)
    return motion.but(
        positions=np.where(valid[..., None], positions, 0.0).astype(np.float32),
        valid=valid,
        skeleton=CANONICAL,
        meta={"joint_centres": METHODS, "derived": list(CANONICAL.joint_names)},
    )


def _markers(motion: Motion) -> tuple[Points, dict[str, NDArray[np.bool_]]]:
    if motion.skeleton.joint_names != MARKERS:
        raise UserError(f"Expected the {len(MARKERS)} Plug-in-Gait markers, got {len(motion.skeleton)} joints.")
    x = motion.positions.astype(np.float64)
    return (
        {name: x[:, k] for k, name in enumerate(MARKERS)},
        {name: motion.valid[:, k] for k, name in enumerate(MARKERS)},
    )


def _hips(m: Points, seen: dict[str, NDArray[np.bool_]]) -> Points:
    asis, psis = 0.5 * (m["LASI"] + m["RASI"]), 0.5 * (m["LPSI"] + m["RPSI"])
    left = normalise(m["LASI"] - m["RASI"])
    depth = asis - psis
    forward = normalise(depth - np.sum(depth * left, axis=-1, keepdims=True) * left)
    up = np.cross(forward, left)
    good = _all_seen(seen, PELVIS)
    width_m = _median_length(m["LASI"] - m["RASI"], good)
    # The regression is for bone: both ends of the depth, and the origin, lie under a marker.
    depth_m = _median_length(depth, good) - 2 * MARKER_RADIUS
    middle = asis + (-MARKER_RADIUS - 0.24 * depth_m - 0.0099) * forward + (-0.30 * width_m - 0.0109) * up
    aside = (0.33 * width_m + 0.0073) * left
    return {"left_hip": middle + aside, "right_hip": middle - aside}


def _leg(m: Points, joints: Points, side: str, sign: float) -> Points:
    """Knee, ankle and foot of one side; sign +1 left, -1 right."""
    s = side[0].upper()
    knee, ankle, heel, toe = (m[s + name] for name in ("KNE", "ANK", "HEE", "TOE"))
    shank, foot = normalise(knee - ankle), normalise(toe - heel)
    medial = -sign * normalise(np.cross(shank, foot))
    sole = sign * np.cross(foot, medial)
    return {
        f"{side}_knee": _chord(joints[f"{side}_hip"], knee, medial, 0.5 * KNEE_WIDTH + MARKER_RADIUS),
        f"{side}_ankle": ankle + (0.5 * ANKLE_WIDTH + MARKER_RADIUS) * medial,
        f"{side}_foot": toe + TOE_DROP * sole,
    }


def _chord(start: NDArray, marker: NDArray, medial: NDArray, offset: float) -> NDArray[np.float64]:
    """Return points (T, 3) at `offset` from the marker, towards `medial`, seen at right angles from `start`."""
    along = start - marker
    length = np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), offset)
    along = along / length
    inwards = normalise(medial - np.sum(medial * along, axis=-1, keepdims=True) * along)
    cosine = offset / length
    return marker + offset * (cosine * along + np.sqrt(1.0 - cosine**2) * inwards)


def _arm(m: Points, seen: dict[str, NDArray[np.bool_]], side: str, sign: float) -> Points:
    s = side[0].upper()
    upwards = normalise(m["C7"] + m["CLAV"] - m["T10"] - m["STRN"])
    breadth = _median_length(m["LSHO"] - m["RSHO"], _all_seen(seen, ("LSHO", "RSHO")))
    shoulder = m[s + "SHO"] - SHOULDER_DROP * breadth * upwards
    wrist = 0.5 * (m[s + "WRA"] + m[s + "WRB"])
    elbow = _hinge(shoulder, m[s + "ELB"], wrist, sign, 0.5 * ELBOW_WIDTH + MARKER_RADIUS)
    return {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow, f"{side}_wrist": wrist}


def _hinge(shoulder: NDArray, marker: NDArray, wrist: NDArray, sign: float, offset: float) -> NDArray[np.float64]:
    """Return elbow centres (T, 3): `offset` from the lateral marker, at right angles to upper arm and forearm.

    Points that see marker and shoulder, and marker and wrist, at right angles lie on the circle over the marker and
    its foot on the line from shoulder to wrist (Thales). Of its two points at `offset` the medial one is taken: an
    elbow bends one way only. An arm so straight that the line is nearer than `offset` has its elbow on the line.
    """
    line = wrist - shoulder
    share = np.sum((marker - shoulder) * line, axis=-1, keepdims=True)
    foot = shoulder + share / np.maximum(np.sum(line**2, axis=-1, keepdims=True), 1e-9) * line
    to_line = foot - marker
    distance = np.linalg.norm(to_line, axis=-1, keepdims=True)
    cosine = np.minimum(offset / np.maximum(distance, 1e-9), 1.0)
    medial = sign * normalise(np.cross(marker - shoulder, wrist - marker))
    reach = np.minimum(offset, distance)
    return marker + reach * (cosine * normalise(to_line) + np.sqrt(1.0 - cosine**2) * medial)


def _trunk(m: Points, joints: Points) -> Points:
    """Pelvis, spine, neck, head and collars, interpolated so that they agree with those of the Kinect skeleton.

    Standing, above the hips' midpoint: T10 32, STRN 33, CLAV 50, C7 56, head markers 73 cm.
    """
    hips = 0.5 * (joints["left_hip"] + joints["right_hip"])
    psis = 0.5 * (m["LPSI"] + m["RPSI"])
    lower = (2 * m["T10"] + m["STRN"]) / 3  # the spine runs nearer to the back
    upper = 0.5 * (m["C7"] + m["CLAV"])
    head = 0.25 * (m["LFHD"] + m["RFHD"] + m["LBHD"] + m["RBHD"])
    collars = {
        f"{side}_collar": 0.46 * joints[f"{side}_shoulder"] + 0.465 * lower + 0.075 * upper
        for side in ("left", "right")
    }
    return collars | {
        "pelvis": 0.94 * hips + 0.06 * upper,
        "spine1": 0.58 * hips + 0.12 * psis + 0.30 * lower,
        "spine2": 0.23 * hips + 0.77 * lower,
        "spine3": 0.08 * hips + 0.92 * lower,
        "neck": 0.06 * hips + 0.94 * upper,
        "head": 0.65 * upper + 0.35 * head,
    }


def _median_length(v: NDArray, frames: NDArray[np.bool_]) -> float:
    return float(np.median(np.linalg.norm(v[frames], axis=-1))) if frames.any() else 0.0


def _all_seen(seen: dict[str, NDArray[np.bool_]], names: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.all([seen[name] for name in names], axis=0)


PELVIS = ("LASI", "RASI", "LPSI", "RPSI")
_LOWER, _UPPER = ("T10", "STRN"), ("C7", "CLAV")


def _side_sources(s: str) -> dict[str, tuple[str, ...]]:
    side = {"L": "left", "R": "right"}[s]
    shank_and_foot = (s + "KNE", s + "ANK", s + "HEE", s + "TOE")
    shoulder = (s + "SHO", *_LOWER, *_UPPER)
    wrist = (s + "WRA", s + "WRB")
    return {
        f"{side}_hip": PELVIS,
        f"{side}_knee": (*PELVIS, *shank_and_foot),
        f"{side}_ankle": shank_and_foot,
        f"{side}_foot": shank_and_foot,
        f"{side}_collar": shoulder,
        f"{side}_shoulder": shoulder,
        f"{side}_elbow": (*shoulder, s + "ELB", *wrist),
        f"{side}_wrist": wrist,
    }


# joint -> the markers it needs in the same frame
SOURCES: dict[str, tuple[str, ...]] = {
    **_side_sources("L"),
    **_side_sources("R"),
    "pelvis": (*PELVIS, *_UPPER),
    "spine1": (*PELVIS, *_LOWER),
    "spine2": (*PELVIS, *_LOWER),
    "spine3": (*PELVIS, *_LOWER),
    "neck": (*PELVIS, *_UPPER),
    "head": (*_UPPER, "LFHD", "RFHD", "LBHD", "RBHD"),
}
