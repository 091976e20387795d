"""Motion <-> model tensor: what comes back, what the mask keeps out, and the statistics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.features.canonical import STD_FLOOR, Statistics, decode, encode, fit_statistics, height_proxy
from rehabmotion.motion import CANONICAL, Motion, Skeleton
from rehabmotion.motion.transforms import canonicalise

WRIST, ELBOW, SHOULDER = CANONICAL.indices("left_wrist", "left_elbow", "left_shoulder")


def waving(pose: NDArray[np.float64], n: int = 91, fps: float = 30.0, hz: float = 0.5) -> Motion:
    """A person who swings a stiff left arm to the side and back, slowly: bones keep their length."""
    positions = np.repeat(pose[None], n, axis=0)
    angle = 0.6 * (1 - np.cos(2 * np.pi * hz * np.arange(n) / fps))
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    for joint in (ELBOW, WRIST):
        x, y, z = (pose[joint] - pose[SHOULDER])[:, None]
        swung = np.concatenate([c * x - s * y, s * x + c * y, np.broadcast_to(z, c.shape)], axis=1)
        positions[:, joint] = pose[SHOULDER] + swung
    return canonicalise(Motion(positions, fps))


def test_the_height_proxy_is_ankle_to_neck(standing: NDArray[np.float64]) -> None:
    parts = [(a, b) for a, b in CANONICAL.bones if CANONICAL.joint_names[b] in ("spine1", "spine2", "spine3", "neck")]
    parts += [CANONICAL.indices("left_knee", "left_ankle"), CANONICAL.indices("left_hip", "left_knee")]  # type: ignore[list-item]
    expected = sum(np.linalg.norm(standing[a] - standing[b]) for a, b in parts)
    assert height_proxy(Motion(standing[None], 30.0)) == pytest.approx(expected, abs=1e-6)


def test_one_leg_is_enough_for_it_and_none_is_not(standing: NDArray[np.float64]) -> None:
    motion = Motion(np.repeat(standing[None], 3, axis=0), 30.0)
    valid = motion.valid.copy()
    valid[:, CANONICAL.index("left_knee")] = False
    assert height_proxy(motion.but(valid=valid)) == pytest.approx(height_proxy(motion), abs=1e-6)
    valid[:, CANONICAL.index("right_knee")] = False
    with pytest.raises(UserError, match="left_ankle is never seen"):
        height_proxy(motion.but(valid=valid))


@pytest.mark.parametrize("n_frames", [32, 64, 196])
def test_decoding_gives_the_motion_back(standing: NDArray[np.float64], n_frames: int) -> None:
    motion = waving(standing)
    x, mask, seconds, height, frames = encode(motion, n_frames)
    assert frames == n_frames
    assert (x.shape, x.dtype, mask.shape) == ((n_frames, 66), np.float32, (n_frames, 22))
    assert mask.all()
    assert seconds == pytest.approx(91 / 30)
    back = decode(x, seconds, height, fps=30.0)
    assert (back.n_frames, back.fps) == (91, 30.0)
    assert np.abs(back.positions - motion.positions).max() < 4e-3


@given(n=st.integers(2, 200), fps=st.floats(10, 120), out=st.floats(10, 120))
@settings(max_examples=25, deadline=None)
def test_a_motion_lasts_as_long_afterwards(n: int, fps: float, out: float) -> None:
    positions = np.random.default_rng(n).normal(0, 0.1, (n, 22, 3)) + np.arange(22)[:, None] * 0.1
    seconds = encode(Motion(positions, fps), 64).seconds
    back = decode(np.zeros((64, 66)) + np.repeat(np.arange(22.0), 3), seconds, 1.0, fps=out)
    assert seconds == pytest.approx(n / fps)
    assert abs(back.seconds - n / fps) <= max(0.5 / out, 2 / out - n / fps) + 1e-9  # never fewer than two frames


def test_time_is_normalised_a_slow_motion_looks_like_a_fast_one(standing: NDArray[np.float64]) -> None:
    fast, slow = waving(standing, 61, hz=0.5), waving(standing, 121, hz=0.25)
    assert np.abs(encode(fast).x - encode(slow).x).max() < 5e-3
    assert encode(slow).seconds > 1.9 * encode(fast).seconds


def test_size_is_divided_out_and_multiplied_back(standing: NDArray[np.float64]) -> None:
    motion = waving(standing)
    tall = motion.but(positions=1.2 * motion.positions)
    x, _, seconds, height, _ = encode(motion)
    x_tall, _, _, height_tall, _ = encode(tall)
    assert height_tall == pytest.approx(1.2 * height)
    assert np.allclose(x, x_tall, atol=1e-5)
    assert np.allclose(decode(x, seconds, 2 * height).positions, 2 * decode(x, seconds, height).positions, atol=1e-5)


def test_decoded_bones_do_not_vary_and_are_alike_on_both_sides(standing: NDArray[np.float64]) -> None:
    x = encode(waving(standing)).x
    shaky = x + np.random.default_rng(0).normal(0, 0.01, x.shape)
    p = decode(shaky, 3.0, 1.3).positions.astype(np.float64)
    lengths = np.stack([np.linalg.norm(p[:, j] - p[:, i], axis=-1) for i, j in CANONICAL.bones])
    assert np.ptp(lengths, axis=1).max() < 1e-6
    by_joint = dict(zip([j for _, j in CANONICAL.bones], lengths[:, 0], strict=True))
    assert all(by_joint[j] == pytest.approx(by_joint[CANONICAL.mirror_order[j]], abs=1e-6) for j in by_joint)


def test_garbage_under_the_mask_changes_nothing_that_is_seen(standing: NDArray[np.float64]) -> None:
    rng = np.random.default_rng(1)
    motion = waving(standing)
    valid = rng.random(motion.valid.shape) < 0.85
    valid[:, CANONICAL.index("head")] = False  # never seen
    spoilt = np.where(valid[..., None], motion.positions, rng.normal(0, 100, motion.positions.shape))
    x, mask, seconds, height, _ = encode(motion.but(valid=valid))
    x2, mask2, seconds2, height2, _ = encode(motion.but(valid=valid, positions=spoilt))
    assert (seconds, height) == (seconds2, height2)
    assert np.array_equal(mask, mask2)
    assert not mask[:, CANONICAL.index("head")].any()
    seen = np.repeat(mask, 3, axis=1)
    assert np.array_equal(x[seen], x2[seen])


def test_only_canonical_joints_are_taken() -> None:
    with pytest.raises(UserError, match="canonical 22 joints"):
        encode(Motion(np.zeros((4, 1, 3)), 30.0, Skeleton(("hip",), (-1,))))


# --- statistics ---------------------------------------------------------------------------------------------------


def test_a_mean_for_each_channel_and_a_deviation_for_each_group() -> None:
    x = np.random.default_rng(2).normal(3.0, 0.5, (50, 8, 66)).astype(np.float32)
    s = fit_statistics(x, np.ones((50, 8, 22), bool))
    mean, std = np.array(s.mean).reshape(22, 3), np.array(s.std).reshape(22, 3)
    assert np.allclose(mean.ravel(), x.reshape(-1, 66).mean(axis=0), atol=1e-5)
    assert np.allclose(std, 0.5, atol=0.02)
    assert len({round(v, 9) for v in std[CANONICAL.indices("left_hip", "right_foot", "left_knee")].ravel()}) == 1
    assert std[0, 0] == std[0, 2] != std[0, 1]
    assert (std > 0).all()


def test_channels_that_never_move_get_the_least_deviation() -> None:
    s = fit_statistics(np.ones((4, 8, 66), np.float32), np.ones((4, 8, 22), bool))
    assert set(s.std) == {STD_FLOOR}


def test_statistics_read_only_what_is_seen() -> None:
    rng = np.random.default_rng(3)
    x, mask = rng.normal(size=(30, 8, 66)), rng.random((30, 8, 22)) < 0.7
    mask[..., 5] = False  # never seen
    spoilt = np.where(np.repeat(mask, 3, axis=-1), x, 1e4)
    a, b = fit_statistics(x, mask), fit_statistics(spoilt, mask)
    assert np.allclose(a.mean, b.mean)
    assert np.allclose(a.std, b.std)


def test_statistics_survive_json() -> None:
    s = Statistics((1.0, 2.0), (0.5, 0.25))
    assert Statistics.from_json(s.as_json()) == s
