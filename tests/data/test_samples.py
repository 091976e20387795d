"""Clips as arrays to draw from: mirrored copies, how often each is drawn, and bent time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehabmotion.data.samples import DEFAULT_SHARE, SHARES, build_samples, time_warp
from rehabmotion.errors import UserError
from rehabmotion.features import FEATURES
from rehabmotion.features.canonical import encode
from rehabmotion.motion import Motion, Score
from rehabmotion.motion.transforms import mirror


@pytest.fixture
def clip(standing: NDArray[np.float64]) -> Motion:
    sway = 0.02 * np.sin(np.arange(40) / 6)[:, None, None] * np.array([1.0, 0.2, 0.5]) * np.arange(22)[:, None]
    meta = {"subject": "s1", "exercise": "hurdle_step", "side": "left"}
    return Motion(standing + sway, 30.0, text="left leg", scores=(Score("fms", 3), Score("sim", 90)), meta=meta)


def test_each_clip_has_its_mirror_image_beside_it(clip: Motion) -> None:
    samples = build_samples({"uiprmd": [clip, clip.but(meta={"side": "right"})]}, 32)
    assert len(samples) == 4
    assert samples.side == ("left", "right", "right", "left")
    assert samples.text == ("left leg", "right leg", "left leg", "right leg")
    assert samples.scores[0] == samples.scores[1] == clip.scores
    assert np.array_equal(samples.x[1], encode(mirror(clip), 32).x)
    assert samples.x.shape == (4, 32, 66)
    assert samples.mask.shape == (4, 32, 22)
    assert (samples.frames == 32).all()
    assert samples.seconds == pytest.approx([40 / 30] * 4)
    assert (samples.scales, samples.exercises) == (("fms", "sim"), ("hurdle_step",))


def test_without_mirrors_there_are_only_the_clips(clip: Motion) -> None:
    assert build_samples({"mars": [clip]}, 32, mirrored=False).side == ("left",)


@pytest.mark.parametrize("features", FEATURES)
def test_any_representation_can_be_drawn_from(clip: Motion, features: str) -> None:
    samples = build_samples({"mars": [clip]}, 48, features=features)
    assert samples.x.shape == (2, 48, FEATURES[features].n_features)
    assert np.isfinite(samples.x).all()


def test_corpora_are_drawn_by_their_shares_and_inside_them_every_exercise_alike(clip: Motion) -> None:
    other = clip.but(meta={"exercise": "squat"})
    plain = clip.but(meta={"exercise": None})
    samples = build_samples({"uiprmd": [clip] * 5 + [other], "mars": [plain] * 3, "own": [clip]}, 16)
    weight = samples.weight
    assert weight.sum() == pytest.approx(1.0)
    corpus = np.array(samples.corpus)
    by_corpus = {name: weight[corpus == name].sum() for name in ("uiprmd", "mars", "own")}
    total = SHARES["uiprmd"] + SHARES["mars"] + DEFAULT_SHARE
    expected = {"uiprmd": SHARES["uiprmd"] / total, "mars": SHARES["mars"] / total, "own": DEFAULT_SHARE / total}
    assert by_corpus == pytest.approx(expected)
    exercise = np.array(samples.exercise)
    shares = [weight[(corpus == "uiprmd") & (exercise == e)].sum() for e in ("hurdle_step", "squat")]
    assert shares[0] == pytest.approx(shares[1])
    assert samples.exercises == ("hurdle_step", "squat")


def test_an_empty_corpus_is_refused_by_name(clip: Motion) -> None:
    with pytest.raises(UserError, match='"mars"'):
        build_samples({"uiprmd": [clip], "mars": []})


def test_people_are_numbered_and_their_mirror_images_are_somebody_else(clip: Motion) -> None:
    second, nobody = clip.but(meta={"subject": "s2"}), clip.but(meta={"subject": None})
    corpora = {"uiprmd": [clip, second, clip], "simulator": [clip], "mars": [clip, nobody]}
    samples = build_samples(corpora, 16)
    # clip, its image, second, its image, clip, its image; simulated; s1 of another set, its image; nobody
    assert samples.person.tolist() == [0, 1, 2, 3, 0, 1, -1, -1, 4, 5, -1, -1]
    assert build_samples(corpora, 16, mirrored=False).person.tolist() == [0, 1, 0, -1, 2, -1]


# --- bent time ----------------------------------------------------------------------------------------------------


@given(st.integers(0, 1000), st.floats(0, 0.3))
@settings(max_examples=40, deadline=None)
def test_bent_time_keeps_its_ends_its_order_and_stays_near(seed: int, most: float) -> None:
    clock = np.linspace(0, 1, 64, dtype=np.float32)[None, :, None].repeat(5, axis=0)
    bent = time_warp(clock, np.random.default_rng(seed), most)[..., 0]
    assert np.allclose(bent[:, [0, -1]], [0, 1], atol=1e-6)
    assert (np.diff(bent, axis=1) >= -1e-6).all()
    assert np.abs(bent - clock[..., 0]).max() <= most + 1e-6


def test_without_bending_nothing_changes_and_with_it_something_does() -> None:
    x = np.random.default_rng(0).normal(size=(3, 20, 4)).astype(np.float32)
    assert np.allclose(time_warp(x, np.random.default_rng(1), 0.0), x, atol=1e-5)
    assert np.abs(time_warp(x, np.random.default_rng(1)) - x).max() > 0.05


def test_each_clip_is_bent_in_its_own_way_and_channels_together() -> None:
    ramp = np.linspace(0, 1, 30, dtype=np.float32)
    x = np.broadcast_to(ramp[None, :, None], (2, 30, 3))
    bent = time_warp(x, np.random.default_rng(2))
    assert np.allclose(bent[..., 0], bent[..., 2])
    assert not np.allclose(bent[0], bent[1], atol=1e-3)
