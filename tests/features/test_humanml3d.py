"""HumanML3D's features as a model's: padded, masked, and back; and what every representation must do."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.features import FEATURES
from rehabmotion.features.humanml3d import decode, encode, fit_statistics
from rehabmotion.geometry.humanml3d import SLICES
from rehabmotion.geometry.rotations import yaw_matrix
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.transforms import canonicalise


def walking(pose: NDArray[np.float64], n: int = 60, fps: float = 20.0) -> Motion:
    """A person who sways, turns and goes forward: nothing stands still."""
    t = np.arange(n) / fps
    positions = [pose @ yaw_matrix(0.3 * s).T + [0.1 * np.sin(s), 0.02 * np.sin(3 * s), 0.2 * s] for s in t]
    return canonicalise(Motion(np.array(positions), fps))


def test_frames_beyond_the_clip_are_zero_and_masked(standing: NDArray[np.float64]) -> None:
    encoded = encode(walking(standing), 196)
    assert (encoded.x.shape, encoded.x.dtype, encoded.frames) == ((196, 263), np.float32, 59)
    assert (encoded.x[59:] == 0).all()
    assert not encoded.mask[59:].any()
    assert encoded.mask[:59].all()
    assert encoded.seconds == 3.0


def test_a_clip_longer_than_the_frames_is_cut(standing: NDArray[np.float64]) -> None:
    long, whole = encode(walking(standing, 100), 40), encode(walking(standing, 100), 196)
    assert long.frames == 40
    assert np.array_equal(long.x, whole.x[:40])


def test_decoding_gives_the_motion_back_without_its_last_frame(standing: NDArray[np.float64]) -> None:
    """The last frame was once made of the padding: all joints on the floor at the origin."""
    motion = walking(standing)
    encoded = encode(motion, 196)
    back = decode(encoded.x, encoded.seconds, encoded.height, fps=20.0)
    assert back.n_frames == 59
    start = motion.positions[0, 0] * np.array([1.0, 0.0, 1.0])  # the format starts at the origin
    assert np.abs(back.positions - (motion.positions[:59] - start)).max() < 1e-3


def test_it_is_20_frames_a_second_whatever_the_source(standing: NDArray[np.float64]) -> None:
    a, b = encode(walking(standing, 60, 20.0), 80), encode(walking(standing, 298, 100.0), 80)
    assert (a.frames, b.frames) == (59, 59)
    places = SLICES["places"]
    assert np.abs(a.x[5:50, places] - b.x[5:50, places]).max() < 0.02
    assert decode(b.x, b.seconds, b.height, fps=60.0).fps == 60.0


def test_deviations_are_one_for_each_block_and_padding_is_not_counted() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(2.0, 0.5, (20, 30, 263)).astype(np.float32)
    mask = np.ones((20, 30, 22), bool)
    mask[:, 20:] = False
    x[:, 20:] = 1e4
    s = fit_statistics(x, mask)
    assert np.allclose(s.mean, 2.0, atol=0.15)
    for block in SLICES.values():
        assert len(set(s.std[block])) == 1
        assert s.std[block][0] == pytest.approx(0.5, rel=0.1)


# --- every representation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FEATURES)
def test_every_representation_keeps_its_promises(name: str, standing: NDArray[np.float64]) -> None:
    features = FEATURES[name]
    motion = walking(standing)
    encoded = features.encode(motion, 64)
    assert encoded.x.shape == (64, features.n_features)
    assert encoded.mask.shape == (64, 22)
    assert 0 < encoded.frames <= 64
    back = features.decode(encoded.x, encoded.seconds, encoded.height, fps=30.0)
    assert back.skeleton == CANONICAL
    assert back.fps == 30.0
    assert abs(back.seconds - motion.seconds) < 0.1
    # the pose half way, as seen from the pelvis
    half_way = [m.positions[round(1.5 * m.fps)] - m.positions[round(1.5 * m.fps), 0] for m in (motion, back)]
    assert np.abs(half_way[0] - half_way[1]).max() < 0.01
    statistics = features.fit(encoded.x[None], encoded.mask[None])
    assert len(statistics.mean) == len(statistics.std) == features.n_features
    assert min(statistics.std) > 0


@pytest.mark.parametrize("name", FEATURES)
def test_garbage_under_the_mask_does_not_reach_what_is_seen(name: str, standing: NDArray[np.float64]) -> None:
    motion = walking(standing)
    valid = motion.valid.copy()
    valid[20:24, CANONICAL.index("left_wrist")] = False
    spoilt = np.where(valid[..., None], motion.positions, 77.0)
    a = FEATURES[name].encode(motion.but(valid=valid), 64)
    b = FEATURES[name].encode(motion.but(valid=valid, positions=spoilt), 64)
    assert np.array_equal(a.mask, b.mask)
    assert not a.mask.all()
    if name == "canonical":
        seen = np.repeat(a.mask, 3, axis=1)
    else:
        seen = np.broadcast_to(a.mask.all(axis=1, keepdims=True), a.x.shape)
    assert np.array_equal(a.x[seen], b.x[seen])
