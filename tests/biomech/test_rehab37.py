"""Our own model: names, signs, mirror, reach, closeness to Rajagopal2016, markers; file and script agree."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from lxml import etree
from osim_oracle import Oracle

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.io.osim import read_osim
from rehabmotion.io.osim_models import open_osim, shipped_osim
from rehabmotion.io.uiprmd_joint_centres import MARKERS, vicon_joint_centres
from rehabmotion.motion import CANONICAL, Motion, Skeleton

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("REHABMOTION_DATA", "/nowhere")) / "opensim"
RAJAGOPAL = DATA / "opensim-models" / "Rajagopal2016.osim"
OPENCAP = DATA / "opencap" / "jump" / "LaiUhlrich2022_scaled.osim"
needs_opensim = pytest.mark.skipif(importlib.util.find_spec("opensim") is None, reason="opensim is not installed")
needs_data = pytest.mark.skipif(not RAJAGOPAL.is_file(), reason="REHABMOTION_DATA with opensim/ is not set")

MODEL = open_osim("rehab37")
KINEMATICS = Kinematics(MODEL)
BODIES = [body.name for body in MODEL.bodies]
NAMES = [marker.name for marker in MODEL.markers]
COORDINATES = [coordinate.name for coordinate in MODEL.coordinates]


def pose(**angles_deg: float) -> torch.Tensor:
    """Return coordinates (C,): the default pose with some angles, degrees; a name without its side stands for both."""
    q = KINEMATICS.default.clone()
    for name, angle in angles_deg.items():
        sides = [name] if name in COORDINATES else [f"{name}_r", f"{name}_l"]
        for own in sides:
            low, high = MODEL.coordinates[COORDINATES.index(own)].range
            assert low <= math.radians(angle) <= high, f"{own} {angle}"
            q[COORDINATES.index(own)] = math.radians(angle)
    return q


def markers(q: torch.Tensor) -> dict[str, np.ndarray]:
    """Return the markers' places in ground by name."""
    return dict(zip(NAMES, KINEMATICS.markers(q).numpy(), strict=True))


def point(q: torch.Tensor, body: str, place: tuple[float, float, float]) -> np.ndarray:
    """Return where a point of a body stands in ground."""
    at = BODIES.index(body)
    standing = KINEMATICS(q)
    return (standing.rotations[at] @ torch.tensor(place, dtype=torch.float64) + standing.positions[at]).numpy()


def some_pose(rng: np.random.Generator) -> torch.Tensor:
    """Return coordinates anywhere in their ranges, but at most 3 rad or m."""
    values = [rng.uniform(max(c.range[0], -3), min(c.range[1], 3)) for c in MODEL.coordinates]
    return torch.tensor(values, dtype=torch.float64)


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_is_what_its_script_writes() -> None:
    """Remake it with: scripts/make-rehab37"""
    document = runpy.run_path(str(ROOT / "scripts" / "make-rehab37"))["document"]()
    assert shipped_osim("rehab37").read_text(encoding="utf-8") == document


def test_the_header_says_licence_units_and_sources() -> None:
    header = shipped_osim("rehab37").read_text(encoding="utf-8").partition("<OpenSimDocument")[0]
    for word in ("Apache License, Version 2.0", "metres", "radians", "de Leva 1996", "scripts/make-rehab37"):
        assert word in header


def test_it_is_found_by_name_and_by_path() -> None:
    path = shipped_osim("rehab37")
    assert open_osim(path) == open_osim(str(path)) == MODEL
    with pytest.raises(UserError, match=r"Expected an .osim file or one of rehab37, got .*rehab38"):
        open_osim("rehab38")
    with pytest.raises(UserError, match=r"Expected a model that comes with rehabmotion \(rehab37\), got"):
        shipped_osim("gait2392")


def test_it_has_22_bodies_and_37_coordinates() -> None:
    leg, arm = ("femur", "tibia", "patella", "talus", "calcn", "toes"), ("humerus", "ulna", "radius", "hand")
    legs, arms = ([f"{body}_{side}" for side in "rl" for body in bodies] for bodies in (leg, arm))
    assert ["pelvis", *legs, "torso", *arms] == BODIES
    assert len(BODIES) == 22
    assert len(COORDINATES) == 37
    locked = {c.name[:-2] for c in MODEL.coordinates if c.locked}
    assert locked == {"subtalar_angle", "mtp_angle", "wrist_flex", "wrist_dev"}
    assert all(c.clamped and c.range[0] <= c.default <= c.range[1] for c in MODEL.coordinates)
    assert {c.name for c in MODEL.coordinates if c.motion != "rotational"} == {"pelvis_tx", "pelvis_ty", "pelvis_tz"}


def test_masses_are_those_of_75_kg_and_inertias_can_be() -> None:
    bodies = etree.parse(str(shipped_osim("rehab37"))).findall(".//Body")
    assert sum(float(body.findtext("mass")) for body in bodies) == pytest.approx(75, abs=1e-3)
    for body in bodies:
        xx, yy, zz, xy, xz, yz = map(float, body.findtext("inertia").split())
        moments = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        assert moments[0] > 0, body.get("name")
        assert moments[0] + moments[1] > moments[2], body.get("name")  # as of any heap of masses


@needs_opensim
def test_opensim_opens_it_without_a_warning(tmp_path: Path) -> None:
    """In a process of its own: OpenSim says what it has to say on standard output, and keeps a log where it stands."""
    shutil.copy(shipped_osim("rehab37"), tmp_path)
    code = (
        "import opensim; m = opensim.Model('rehab37.osim'); s = m.initSystem(); m.realizePosition(s); "
        "print(m.getNumBodies(), m.getNumCoordinates(), m.getMarkerSet().getSize())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    assert f"22 37 {len(NAMES)}" in said
    assert not re.search(r"\[(?:warning|error|critical)\]", said), said
    assert "[info] Loaded model rehab37" in said  # so it does speak


@needs_opensim
@pytest.mark.parametrize("scaled", [False, True])
def test_it_stands_where_opensim_puts_it(tmp_path: Path, scaled: bool) -> None:
    rng = np.random.default_rng(0)
    factors = {body: rng.uniform(0.8, 1.2, 3) for body in BODIES} if scaled else None
    path = Path(shutil.copy(shipped_osim("rehab37"), tmp_path))
    oracle = Oracle(path, factors)
    scales = None if factors is None else torch.tensor(np.array([factors[body] for body in BODIES]))
    for _ in range(3):
        q = some_pose(rng)
        oracle.put({name: float(value) for name, value in zip(COORDINATES, q, strict=True)})
        rotations, origins = oracle.bodies()
        ours = KINEMATICS(q, scales)
        np.testing.assert_allclose(ours.rotations, rotations, atol=1e-9)
        np.testing.assert_allclose(ours.positions, origins, atol=1e-9)
        np.testing.assert_allclose(KINEMATICS.markers(q, scales), oracle.markers(), atol=1e-9)


# --- signs ------------------------------------------------------------------------------------------------------------

FORWARD, BACK, UP, DOWN, RIGHT, LEFT = (0, 1), (0, -1), (1, 1), (1, -1), (2, 1), (2, -1)
SIGNS = [  # coordinate, what it means, a point of a body, where it goes when the coordinate is raised
    ("pelvis_tilt", "pelvis tips backward", "torso", (0, 0.6, 0), BACK),
    ("pelvis_list", "right side down", "pelvis", (0, 0, 0.1), DOWN),
    ("pelvis_rotation", "turn to the left", "pelvis", (0, 0, 0.1), FORWARD),
    ("pelvis_tx", "forward", "pelvis", (0, 0, 0), FORWARD),
    ("pelvis_ty", "up", "pelvis", (0, 0, 0), UP),
    ("pelvis_tz", "to the right", "pelvis", (0, 0, 0), RIGHT),
    ("hip_flexion_r", "thigh forward", "tibia_r", (0, 0, 0), FORWARD),
    ("hip_flexion_l", "thigh forward", "tibia_l", (0, 0, 0), FORWARD),
    ("hip_adduction_r", "towards the midline", "tibia_r", (0, 0, 0), LEFT),
    ("hip_adduction_l", "towards the midline", "tibia_l", (0, 0, 0), RIGHT),
    ("hip_rotation_r", "internal: toes to the midline", "toes_r", (0, 0, 0), LEFT),
    ("hip_rotation_l", "internal: toes to the midline", "toes_l", (0, 0, 0), RIGHT),
    ("knee_angle_r", "flexion: heel backward", "talus_r", (0, 0, 0), BACK),
    ("knee_angle_l", "flexion: heel backward", "talus_l", (0, 0, 0), BACK),
    ("ankle_angle_r", "dorsiflexion: toes up", "toes_r", (0, 0, 0), UP),
    ("ankle_angle_l", "dorsiflexion: toes up", "toes_l", (0, 0, 0), UP),
    ("subtalar_angle_r", "inversion: sole to the midline", "calcn_r", (0, -0.1, 0), LEFT),
    ("subtalar_angle_l", "inversion: sole to the midline", "calcn_l", (0, -0.1, 0), RIGHT),
    ("subtalar_angle_r", "inversion: toes in", "toes_r", (0, 0, 0), LEFT),
    ("subtalar_angle_l", "inversion: toes in", "toes_l", (0, 0, 0), RIGHT),
    ("mtp_angle_r", "toes down", "toes_r", (0.05, 0, 0), DOWN),
    ("mtp_angle_l", "toes down", "toes_l", (0.05, 0, 0), DOWN),
    ("lumbar_extension", "trunk backward", "torso", (0, 0.6, 0), BACK),
    ("lumbar_bending", "to the right", "torso", (0, 0.6, 0), RIGHT),
    ("lumbar_rotation", "to the left: right shoulder forward", "humerus_r", (0, 0, 0), FORWARD),
    ("arm_flex_r", "arm forward", "ulna_r", (0, 0, 0), FORWARD),
    ("arm_flex_l", "arm forward", "ulna_l", (0, 0, 0), FORWARD),
    ("arm_add_r", "towards the body", "ulna_r", (0, 0, 0), LEFT),
    ("arm_add_l", "towards the body", "ulna_l", (0, 0, 0), RIGHT),
    ("arm_rot_r", "internal: bent forearm to the midline", "hand_r", (0, 0, 0), LEFT),
    ("arm_rot_l", "internal: bent forearm to the midline", "hand_l", (0, 0, 0), RIGHT),
    ("elbow_flex_r", "flexion: hand forward", "hand_r", (0, 0, 0), FORWARD),
    ("elbow_flex_l", "flexion: hand forward", "hand_l", (0, 0, 0), FORWARD),
    ("pro_sup_r", "pronation: thumb, outside before, forward", "hand_r", (0, 0, 0.04), FORWARD),
    ("pro_sup_l", "pronation: thumb, outside before, forward", "hand_l", (0, 0, -0.04), FORWARD),
    ("wrist_flex_r", "palmar flexion: the palm faces forward", "hand_r", (0, -0.1, 0), FORWARD),
    ("wrist_flex_l", "palmar flexion: the palm faces forward", "hand_l", (0, -0.1, 0), FORWARD),
    ("wrist_dev_r", "ulnar deviation: fingers to the midline", "hand_r", (0, -0.1, 0), LEFT),
    ("wrist_dev_l", "ulnar deviation: fingers to the midline", "hand_l", (0, -0.1, 0), RIGHT),
]


@pytest.mark.parametrize(("name", "meaning", "body", "place", "goes"), SIGNS, ids=[f"{s[0]}-{s[4]}" for s in SIGNS])
def test_signs(name: str, meaning: str, body: str, place: tuple[float, float, float], goes: tuple[int, int]) -> None:
    """Raised by a hundredth (rad or m), a coordinate moves the point the way its meaning says."""
    before = pose(elbow_flex=90) if name.startswith("arm_rot") else pose()
    after = before.clone()
    after[COORDINATES.index(name)] += 0.01
    axis, sign = goes
    assert sign * (point(after, body, place) - point(before, body, place))[axis] > 1e-4, meaning


def test_every_coordinate_has_its_sign_tested() -> None:
    assert {row[0] for row in SIGNS} == set(COORDINATES)


def mirrored(q: torch.Tensor) -> torch.Tensor:
    """Return coordinates reflected left to right: sides exchanged, five of the middle negated."""
    negated = {"pelvis_list", "pelvis_rotation", "pelvis_tz", "lumbar_bending", "lumbar_rotation"}
    source = [COORDINATES.index(other_side(name)) for name in COORDINATES]
    return q[source] * torch.tensor([-1.0 if name in negated else 1.0 for name in COORDINATES]).double()


def other_side(name: str) -> str:
    """Return a body's or a coordinate's name on the other side."""
    return {"_r": f"{name[:-2]}_l", "_l": f"{name[:-2]}_r"}.get(name[-2:], name)


def test_reflected_coordinates_are_a_reflected_body() -> None:
    rng, flip = np.random.default_rng(1), torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
    swap = [BODIES.index(other_side(name)) for name in BODIES]
    for _ in range(5):
        q = some_pose(rng)
        assert torch.equal(mirrored(mirrored(q)), q)
        here, there = KINEMATICS(q), KINEMATICS(mirrored(q))
        np.testing.assert_allclose(there.positions, here.positions[swap] * flip, atol=1e-12)
        np.testing.assert_allclose(there.rotations, here.rotations[swap] * flip * flip[:, None], atol=1e-12)


# --- reach and proportions --------------------------------------------------------------------------------------------


def test_he_stands_on_the_floor_and_is_1_70_m_tall() -> None:
    at = markers(pose())
    assert at["sole_right"][1] == pytest.approx(0, abs=1e-9)
    assert at["top_of_head"][1] == pytest.approx(1.70, abs=1e-9)
    assert max(at, key=lambda name: at[name][1]) == "top_of_head"


@pytest.mark.parametrize("angles", [{"arm_flex": 170}, {"arm_add": -170}])
def test_arms_reach_overhead(angles: dict[str, float]) -> None:
    at = markers(pose(**angles))
    for side in ("left", "right"):
        assert at[f"joint_{side}_wrist"][1] > at["top_of_head"][1] + 0.1
        assert at[f"joint_{side}_elbow"][1] > at[f"joint_{side}_shoulder"][1] + 0.25


def test_a_deep_squat_is_within_reach() -> None:
    """Feet flat, hips below the knees, and the centre of mass over the feet."""
    q = pose(pelvis_tilt=-25, hip_flexion=130, knee_angle=140, ankle_angle=35, lumbar_extension=-25, arm_flex=120)
    at = markers(q)
    assert at["joint_right_hip"][1] < at["joint_right_knee"][1]
    heel, toe = at["RHEE"], at["RTOE"]
    assert abs(toe[1] - heel[1]) < 0.03
    centres = np.array([point(q, body.name, body.mass_center) for body in MODEL.bodies])
    masses = np.array([body.mass for body in MODEL.bodies])
    assert heel[0] < (masses @ centres)[0] / masses.sum() < toe[0]


def test_a_shin_folds_and_a_forearm_lies_on_the_upper_arm() -> None:
    at = markers(pose(knee_angle=150, elbow_flex=160))
    assert np.linalg.norm(at["joint_right_ankle"] - at["joint_right_hip"]) < 0.25
    assert np.linalg.norm(at["joint_right_wrist"] - at["joint_right_shoulder"]) < 0.12


SEGMENTS = [
    ("femur_r", "tibia_r"), ("tibia_r", "talus_r"), ("calcn_r", "toes_r"), ("humerus_r", "ulna_r"),
    ("ulna_r", "hand_r"), ("femur_l", "femur_r"), ("humerus_l", "humerus_r"), ("pelvis", "torso"),
]  # fmt: skip


@needs_data
def test_joint_centres_are_within_2_cm_of_rajagopal2016() -> None:
    """At equal height, both in their default pose, from the pelvis' origin. The height is that of C7 over the ankles.

    Rajagopal2016 has no top of the head. Farthest: toes 16 mm, elbow 16 mm; segments 12 mm.
    """
    placed, height = [], []
    for model in (MODEL, read_osim(RAJAGOPAL)):
        kinematics = Kinematics(model)
        origins = kinematics(kinematics.default).positions.numpy()
        names = [body.name for body in model.bodies]
        c7 = kinematics.markers(kinematics.default)[[m.name for m in model.markers].index("C7")].numpy()
        height.append(c7[1] - origins[names.index("talus_r"), 1])
        placed.append(dict(zip(names, origins - origins[names.index("pelvis")], strict=True)))
    ours, theirs = placed
    scale = height[0] / height[1]
    assert scale == pytest.approx(1, abs=0.01)
    assert list(ours) == list(theirs)
    for body in ours:
        assert np.linalg.norm(ours[body] - scale * theirs[body]) < 0.02, body
    for a, b in SEGMENTS:
        length, other = (np.linalg.norm(p[a] - p[b]) for p in placed)
        assert abs(length - scale * other) < 0.02, (a, b)


@needs_data
def test_names_are_those_of_rajagopal2016_without_the_driven_patella() -> None:
    other = read_osim(RAJAGOPAL)
    assert [body.name for body in other.bodies] == BODIES
    assert [c.name for c in other.coordinates if not c.name.endswith("_beta")] == COORDINATES
    motions = {c.name: c.motion for c in other.coordinates}
    assert all(c.motion == motions[c.name] for c in MODEL.coordinates)
    locked = {c.name for c in other.coordinates if c.locked}
    assert {c.name for c in MODEL.coordinates if c.locked} == locked


# --- markers ----------------------------------------------------------------------------------------------------------


def test_the_plug_in_gait_markers_and_the_canonical_joints_are_all_there() -> None:
    assert set(MARKERS) <= set(NAMES)
    assert {f"joint_{name}" for name in CANONICAL.joint_names} <= set(NAMES)
    assert sum("_study" in name for name in NAMES) == 43
    assert len(NAMES) == 39 + 43 + 22 + 3


@needs_data
def test_the_augmented_markers_are_those_of_opencap() -> None:
    assert {marker.name for marker in read_osim(OPENCAP).markers} == {name for name in NAMES if "_study" in name}


def test_markers_are_mirrored() -> None:
    """Every marker but the right scapula's has its image, in the middle or under the other side's name."""
    at = markers(pose())
    for name, place in at.items():
        if name == "RBAK":
            continue
        image = at[other_marker(name)] * [1, 1, -1]
        np.testing.assert_allclose(image, place, atol=1e-12, err_msg=name)
        assert (other_marker(name) == name) == (abs(place[2]) < 1e-9), name
        assert "right" not in name or place[2] > 0, name


def other_marker(name: str) -> str:
    """Return a marker's name on the other side, itself in the middle."""
    for a, b in (("_right", "_left"), ("_left", "_right")):
        if a in name:
            return name.replace(a, b)
    swapped = {"R": "L", "L": "R", "r": "L"}.get(name[0], name[0]) + name[1:]
    if swapped in NAMES:
        return swapped
    return f"r{name[1:]}" if f"r{name[1:]}" in NAMES else name


@pytest.mark.parametrize(
    ("marker", "joint", "low", "high"),
    [("KNE", "knee", 0.05, 0.07), ("ANK", "ankle", 0.035, 0.055), ("ELB", "elbow", 0.035, 0.055)],
)
def test_lateral_markers_lie_outside_their_joint(marker: str, joint: str, low: float, high: float) -> None:
    at = markers(pose())
    for letter, side, out in (("R", "right", 1), ("L", "left", -1)):
        apart = at[letter + marker] - at[f"joint_{side}_{joint}"]
        assert low < out * apart[2] < high
        assert np.linalg.norm(apart[:2]) < 0.02


def test_markers_of_trunk_and_head_lie_where_they_are_glued() -> None:
    at = markers(pose())
    for front, back in (("CLAV", "C7"), ("STRN", "T10"), ("RASI", "RPSI"), ("RFHD", "RBHD"), ("RTOE", "RHEE")):
        assert at[front][0] > at[back][0] + 0.1, (front, back)
    for upper, lower in (("RFHD", "C7"), ("C7", "T10"), ("CLAV", "STRN"), ("RSHO", "joint_right_shoulder")):
        assert at[upper][1] > at[lower][1] + 0.04, (upper, lower)
    assert at["RWRA"][2] > at["RWRB"][2]  # thumb outside: the default pose is supinated
    np.testing.assert_allclose((at["RWRA"] + at["RWRB"]) / 2, at["joint_right_wrist"], atol=1e-9)


def test_the_joints_are_where_the_reader_of_the_markers_puts_them() -> None:
    """vicon_joint_centres, on our own Plug-in-Gait markers, finds all 22 joints to 2 cm (a straight elbow is hard)."""
    at = markers(pose())
    turn = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]])  # ground to motion: +x left, y up, +z forward
    clip = np.stack([at[name] @ turn.T for name in MARKERS])[None].repeat(2, axis=0)
    found = vicon_joint_centres(Motion(positions=clip, fps=100.0, skeleton=Skeleton(MARKERS, (-1,) * len(MARKERS))))
    own = np.stack([at[f"joint_{name}"] @ turn.T for name in CANONICAL.joint_names])
    apart = np.linalg.norm(found.positions[0] - own, axis=-1)
    assert apart.max() < 0.02, CANONICAL.joint_names[apart.argmax()]
    middle = [CANONICAL.index(name) for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
    assert apart[middle].max() < 0.01


def test_the_spine_is_as_high_as_conventions_say() -> None:
    """docs/conventions.md: about 10, 25, 30, 50 and 60 cm above the hips, collars 42 cm high and 7 to 8 cm aside."""
    at = markers(pose())
    hips = (at["joint_left_hip"] + at["joint_right_hip"]) / 2
    for name, height in (("spine1", 0.10), ("spine2", 0.25), ("spine3", 0.30), ("neck", 0.50), ("head", 0.60)):
        assert (at[f"joint_{name}"] - hips)[1] == pytest.approx(height, abs=0.025), name
    assert (at["joint_left_collar"] - hips)[1:] == pytest.approx([0.42, -0.075], abs=0.015)
    assert (at["joint_pelvis"] - hips)[1] == pytest.approx(0.03, abs=0.005)


# --- its page ---------------------------------------------------------------------------------------------------------


def test_the_page_lists_every_coordinate_with_its_range() -> None:
    text = (ROOT / "docs" / "rehab37.md").read_text(encoding="utf-8")
    listed = {}
    for names, low, high in re.findall(r"^\| (`[^|]+) \| (-?\d+) to (\d+)[^|]* \|", text, flags=re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            listed[name] = (int(low), int(high))
    stated = {}
    for c in MODEL.coordinates:
        unit = 1.0 if c.motion == "translational" else math.degrees(1)
        stated[re.sub(r"_[rl]$", "", c.name)] = (round(c.range[0] * unit), round(c.range[1] * unit))
    assert listed == stated
