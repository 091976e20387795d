"""From source joints to canonical ones, and bones of constant length."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.motion import CANONICAL, Motion, Skeleton
from rehabmotion.motion.retarget import bone_lengths, keep_feet, map_joints, symmetric, to_canonical, with_bone_lengths


@pytest.fixture
def restless(standing: NDArray[np.float64]) -> Motion:
    """A person whose joints all jitter by centimetres: bones change their length."""
    return Motion(standing + np.random.default_rng(0).normal(0, 0.02, (60, 22, 3)), 30.0)


@pytest.fixture
def source() -> Motion:
    stick = Skeleton(("root", "mid", "top"), (-1, 0, 1))
    positions = np.zeros((5, 3, 3))
    positions[:, 1, 1], positions[:, 2, 1] = 0.4, 1.0
    return Motion(positions, 30.0, stick, text="t", meta={"subject": "s1"})


# --- joints -------------------------------------------------------------------------------------------------------


def test_a_joint_is_the_weighted_mean_of_its_sources(source: Motion) -> None:
    mapped = map_joints(source, {"pelvis": {"root": 1.0}, "neck": {"mid": 0.25, "top": 0.75}, "head": {"top": 1.0}})
    assert mapped.skeleton == CANONICAL
    assert np.allclose(mapped.joint("neck"), [0.0, 0.85, 0.0])
    assert mapped.meta["derived"] == ["neck"]
    assert (mapped.text, mapped.meta["subject"], mapped.fps) == ("t", "s1", 30.0)


def test_what_the_source_lacks_is_masked_and_lies_at_its_parent(source: Motion) -> None:
    mapped = map_joints(source, {"pelvis": {"root": 1.0}, "neck": {"top": 1.0}})
    seen = mapped.valid.any(axis=0)
    assert [CANONICAL.joint_names[j] for j in np.flatnonzero(seen)] == ["pelvis", "neck"]
    assert np.array_equal(mapped.joint("head"), mapped.joint("neck"))
    assert np.array_equal(mapped.joint("left_foot"), mapped.joint("pelvis"))


def test_a_mixed_joint_is_valid_where_all_its_sources_are(source: Motion) -> None:
    valid = np.ones((5, 3), bool)
    valid[2, 1] = False
    mapped = map_joints(source.but(valid=valid), {"neck": {"mid": 0.5, "top": 0.5}, "head": {"top": 1.0}})
    assert mapped.valid[:, CANONICAL.index("neck")].tolist() == [True, True, False, True, True]
    assert mapped.valid[:, CANONICAL.index("head")].all()


@pytest.mark.parametrize("wrong", [{"nose": {"top": 1.0}}, {"head": {"nose": 1.0}}])
def test_unknown_joints_are_refused(source: Motion, wrong: dict[str, dict[str, float]]) -> None:
    with pytest.raises(UserError, match="nose"):
        map_joints(source, wrong)


# --- bones --------------------------------------------------------------------------------------------------------


def test_bone_lengths_are_medians_over_frames_where_both_ends_are_seen(standing: NDArray[np.float64]) -> None:
    positions = np.repeat(standing[None], 9, axis=0)
    positions[4, CANONICAL.index("left_wrist")] += 5.0  # one glitch
    valid = np.ones((9, 22), bool)
    valid[:, CANONICAL.index("head")] = False
    lengths = bone_lengths(positions, valid)
    wrist, elbow = CANONICAL.indices("left_wrist", "left_elbow")
    assert lengths[wrist] == pytest.approx(np.linalg.norm(standing[wrist] - standing[elbow]))
    assert lengths[CANONICAL.index("head")] == 0
    assert lengths[0] == 0


def test_left_and_right_share_their_mean_where_both_are_known() -> None:
    lengths = np.zeros(22)
    left, right, lone = CANONICAL.indices("left_knee", "right_knee", "left_elbow")
    lengths[[left, right, lone]] = 0.40, 0.44, 0.3
    both = symmetric(lengths)
    assert both[left] == both[right] == pytest.approx(0.42)
    assert both[lone] == 0.3


def varying(motion: Motion) -> float:
    x = motion.positions.astype(np.float64)
    return max(float(np.ptp(np.linalg.norm(x[:, j] - x[:, p], axis=-1))) for p, j in CANONICAL.bones)


def test_projected_bones_do_not_vary_and_keep_their_directions(restless: Motion) -> None:
    lengths = bone_lengths(restless.positions, restless.valid)
    out = with_bone_lengths(restless, lengths)
    assert varying(restless) > 0.05
    assert varying(out) < 1e-6
    for parent, joint in CANONICAL.bones:
        before = restless.positions[:, joint].astype(np.float64) - restless.positions[:, parent]
        after = out.positions[:, joint].astype(np.float64) - out.positions[:, parent]
        cosine = (before * after).sum(-1) / np.linalg.norm(before, axis=-1) / np.linalg.norm(after, axis=-1)
        assert cosine.min() > 1 - 1e-6


def test_projecting_twice_is_projecting_once(restless: Motion) -> None:
    lengths = bone_lengths(restless.positions, restless.valid)
    once = with_bone_lengths(restless, lengths)
    assert np.allclose(with_bone_lengths(once, lengths).positions, once.positions, atol=1e-6)


def test_what_has_those_bones_already_stays_as_it_is(standing: NDArray[np.float64]) -> None:
    motion = Motion(np.repeat(standing[None], 10, axis=0), 30.0)
    out = with_bone_lengths(motion, bone_lengths(motion.positions, motion.valid))
    assert np.allclose(out.positions, motion.positions, atol=1e-6)


def test_the_root_stays_where_it_was_and_feet_can_be_put_back(restless: Motion) -> None:
    lengths = bone_lengths(restless.positions, restless.valid) * 1.3
    ankles = CANONICAL.indices("left_ankle", "right_ankle")
    longer = with_bone_lengths(restless, lengths)
    assert np.array_equal(longer.positions[:, 0], restless.positions[:, 0])
    kept = keep_feet(longer, restless.positions)
    before = restless.positions[:, ankles].mean(axis=1)
    assert np.allclose(kept.positions[:, ankles].mean(axis=1), before, atol=1e-6)
    assert np.allclose(np.diff(kept.positions - longer.positions, axis=1), 0, atol=1e-6)  # shifted as a whole


def test_a_length_of_0_leaves_the_bone_alone(restless: Motion) -> None:
    out = with_bone_lengths(restless, np.zeros(22))
    assert np.allclose(out.positions, restless.positions, atol=1e-6)


WRIST, ELBOW = CANONICAL.indices("left_wrist", "left_elbow")


def forearm(standing: NDArray[np.float64], directions: list[tuple[float, float, float] | None]) -> NDArray[np.float64]:
    """A clip whose left forearm (0.25 m) points along the given directions; None: shrunk to 1 cm of nonsense."""
    positions = np.repeat(standing[None], len(directions), axis=0)
    for t, d in enumerate(directions):
        positions[t, WRIST] = positions[t, ELBOW] + (0.25 * np.array(d) if d else np.array([0.01, 0.0, 0.0]))
    return positions


@pytest.mark.parametrize(
    ("before", "middle", "after"),
    [
        ((0, -1, 0), (0, -1, 0), (0, -1, 0)),
        ((0, -1, 0), (0, -(0.5**0.5), 0.5**0.5), (0, 0, 1)),
        ((0, -1, 0), (0, -1, 0), None),  # nothing after it: held
        (None, (0, 0, 1), (0, 0, 1)),
    ],
)
def test_a_shrunk_bone_is_bridged_from_the_frames_around_it(
    standing: NDArray[np.float64], before: tuple[float, float, float], middle: object, after: object
) -> None:
    positions = forearm(standing, [before, None, after])  # type: ignore[list-item]
    lengths = np.zeros(22)
    lengths[WRIST] = 0.25
    out = with_bone_lengths(Motion(positions, 30.0), lengths, least=0.5)
    bone = out.positions[:, WRIST] - out.positions[:, ELBOW]
    assert np.allclose(bone[1], 0.25 * np.array(middle), atol=1e-6)
    assert np.allclose(np.linalg.norm(bone, axis=-1), 0.25, atol=1e-6)


def test_between_opposite_directions_the_nearer_is_taken(standing: NDArray[np.float64]) -> None:
    positions = forearm(standing, [(0, -1, 0), None, (0, 1, 0)])
    lengths = np.zeros(22)
    lengths[WRIST] = 0.25
    out = with_bone_lengths(Motion(positions, 30.0), lengths, least=0.5)
    assert np.allclose(np.linalg.norm(out.positions[:, WRIST] - out.positions[:, ELBOW], axis=-1), 0.25, atol=1e-6)


def test_a_bone_that_is_always_a_point_hangs_down(standing: NDArray[np.float64]) -> None:
    positions = np.repeat(standing[None], 3, axis=0)
    positions[:, WRIST] = positions[:, ELBOW]
    lengths = np.zeros(22)
    lengths[WRIST] = 0.25
    out = with_bone_lengths(Motion(positions, 30.0), lengths)
    assert np.allclose(out.positions[:, WRIST] - out.positions[:, ELBOW], [0, -0.25, 0], atol=1e-6)


def test_garbage_under_the_mask_changes_nothing_that_is_seen(restless: Motion) -> None:
    """The direction held for a shrunk bone was once taken from the frame before, were it masked or not."""
    rng = np.random.default_rng(2)
    positions = restless.positions.copy()
    valid = rng.random((60, 22)) < 0.8
    positions[31, WRIST] = positions[31, ELBOW]
    valid[31, [WRIST, ELBOW]] = True
    valid[30, WRIST] = False
    spoilt = np.where(valid[..., None], positions, rng.normal(0, 50, positions.shape))
    a, b = (restless.but(positions=x, valid=valid) for x in (positions, spoilt))
    lengths = bone_lengths(a.positions, valid)
    assert np.array_equal(lengths, bone_lengths(b.positions, valid))
    out_a, out_b = (with_bone_lengths(m, lengths * 1.1) for m in (a, b))
    # a chain that hangs on a masked joint keeps its own shape through it: only rounding differs
    assert np.allclose(out_a.positions[valid], out_b.positions[valid], atol=1e-5)


def test_to_canonical_maps_and_sets_the_bones(restless: Motion) -> None:
    joint_map = {name: {name: 1.0} for name in CANONICAL.joint_names}
    assert varying(to_canonical(restless, joint_map)) < 1e-6
    own = np.full(22, 0.25)
    out = to_canonical(restless, joint_map, own)
    knee, hip = CANONICAL.indices("left_knee", "left_hip")
    assert np.allclose(np.linalg.norm(out.positions[:, knee] - out.positions[:, hip], axis=-1), 0.25, atol=1e-6)
