"""The evaluator: what it reads, what it must not read, and that what is saved is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.models.diffusion import DiffusionConfig, DiffusionGenerator
from rehabmotion.models.evaluator import VARIANTS, Evaluator, EvaluatorBatch, EvaluatorConfig, kinematics
from rehabmotion.models.evaluator_input import (
    N_CHANNELS,
    HashedWords,
    body_size,
    hashed_words,
    parts_of,
    read_clips,
    words_config,
)
from rehabmotion.models.evaluator_losses import info_nce, masked_error
from rehabmotion.models.store import CONFIG, WEIGHTS, Provenance, load_evaluator, load_model, save_model
from rehabmotion.models.trainable import Draws
from rehabmotion.motion import CANONICAL, Motion

PROVENANCE = Provenance("tiny", ("uiprmd",), ("uiprmd s06",), ("deep_squat",), {}, (0.0, 0.0))
HEAD, FOOT, HIP = CANONICAL.indices("head", "left_foot", "left_hip")


def config(variant: str = "transformer") -> EvaluatorConfig:
    small = {"n_frames": 16, "d": 16, "layers": 1, "heads": 2, "d_text": 16, "buckets": 256}
    return EvaluatorConfig(
        (0.1,) * N_CHANNELS, (0.5,) * N_CHANNELS, ("uiprmd",), variant, **small, d_features=24, d_space=8, n_principal=4
    )


@pytest.fixture(params=list(VARIANTS))
def evaluator(request: pytest.FixtureRequest) -> Evaluator:
    """A tiny evaluator of each variant, not trained."""
    torch.manual_seed(0)
    return Evaluator(config(request.param)).eval()


@pytest.fixture
def clip(standing: NDArray[np.float64]) -> Callable[..., Motion]:
    """A function that makes a person who leans to and fro; n frames, the number of leans, the size of the body."""

    def make(n: int = 40, turns: float = 1.0, size: float = 1.0, fps: float = 30.0) -> Motion:
        lean = 0.3 * np.sin(2 * np.pi * turns * np.linspace(0, 1, n))[:, None, None]
        x = standing + lean * np.array([0.0, 0.0, 1.0]) * np.maximum(standing[:, 1:2] - 0.9, 0)
        return Motion(x * size, fps)

    return make


Make = Callable[..., Motion]


# --- the motion that is read --------------------------------------------------------------------------------------


def test_size_is_the_chain_from_ankle_to_neck(standing: NDArray[np.float64]) -> None:
    bones = ("ankle", "knee", "spine1", "spine2", "spine3", "neck")
    joints = [CANONICAL.index(b if b in CANONICAL.joint_names else f"left_{b}") for b in bones]
    chain = sum(np.linalg.norm(standing[j] - standing[CANONICAL.parents[j]]) for j in joints)
    assert body_size(Motion(standing[None], 30)) == pytest.approx(chain, rel=1e-6)
    assert body_size(Motion(1.3 * standing[None], 30)) == pytest.approx(1.3 * chain, rel=1e-6)


def test_what_is_missing_of_the_chain_is_filled_in_proportion(standing: NDArray[np.float64]) -> None:
    valid = np.ones((1, 22), bool)
    valid[:, CANONICAL.indices("left_ankle", "right_ankle", "neck")] = False
    x = standing[None].copy()
    x[~valid] = 77.0
    whole = body_size(Motion(standing[None], 30))
    assert body_size(Motion(x, 30, valid=valid)) == pytest.approx(whole, rel=0.05)
    with pytest.raises(UserError, match="legs or spine"):
        body_size(Motion(x, 30, valid=np.zeros((1, 22), bool)))


def test_time_is_stretched_by_lines_ends_kept(clip: Make) -> None:
    motion = clip(17)
    clips = read_clips([motion, clip(33)], 33)
    assert clips.positions.shape == (2, 33, 22, 3)
    x = motion.positions / body_size(motion)
    assert np.allclose(clips.positions[0, ::2], x, atol=1e-6)
    assert np.allclose(clips.positions[0, 1::2], (x[1:] + x[:-1]) / 2, atol=1e-6)
    assert clips.seconds.tolist() == pytest.approx([17 / 30, 33 / 30])


def test_a_pose_is_seen_where_the_frames_on_both_sides_are(clip: Make) -> None:
    motion = clip(5)
    valid = motion.valid.copy()
    valid[2, HEAD] = False
    seen = read_clips([motion.but(valid=valid)], 9).valid[0, :, HEAD]
    assert seen.tolist() == [True, True, True, False, False, False, True, True, True]


def test_one_frame_is_repeated(clip: Make) -> None:
    positions = read_clips([clip(1)], 16).positions[0]
    assert (positions == positions[0]).all()


def test_bones_are_directions_and_the_pelvis_a_place(clip: Make) -> None:
    clips = read_clips([clip()], 16)
    parts, seen = parts_of(torch.from_numpy(clips.positions), torch.from_numpy(clips.valid))
    assert torch.allclose(parts[..., 1:, :].norm(dim=-1), torch.ones(1, 16, 21))
    assert np.allclose(parts[0, :, 0], clips.positions[0, :, 0])
    assert seen.all()


def test_a_bone_is_seen_where_both_its_ends_are(clip: Make) -> None:
    clips = read_clips([clip()], 16)
    valid = torch.from_numpy(clips.valid.copy())
    valid[..., HIP] = False
    parts, seen = parts_of(torch.from_numpy(clips.positions), valid)
    hidden = [HIP, CANONICAL.index("left_knee")]
    assert sorted({int(j) for j in (~seen).nonzero()[:, 2]}) == hidden
    assert (parts[..., hidden, :] == 0).all()


# --- embedding ----------------------------------------------------------------------------------------------------


def test_shapes_and_types(evaluator: Evaluator, clip: Make) -> None:
    motions = [clip(n) for n in (10, 40, 90)]
    arrays = [evaluator.features(motions), evaluator.full_features(motions), evaluator.embed_motions(motions)]
    arrays.append(evaluator.embed_texts(["squat", "", "lift the left leg"]))
    assert [a.shape for a in arrays] == [(3, 4), (3, 24), (3, 8), (3, 8)]
    assert all(a.dtype == np.float32 and np.isfinite(a).all() for a in arrays)


def test_a_clip_is_read_alike_alone_and_among_others(evaluator: Evaluator, clip: Make) -> None:
    motions = [clip(20 + i, 0.5 + i % 3) for i in range(70)]  # more than are read at once
    together = evaluator.full_features(motions)
    assert np.array_equal(evaluator.full_features(motions), together)
    for i in (0, 65):
        assert np.allclose(evaluator.full_features([motions[i]])[0], together[i], atol=1e-5)


def test_a_text_is_read_alike_alone_and_beside_a_longer_one(evaluator: Evaluator) -> None:
    texts = ["squat", "", "lift the left leg and put it down again with care"]
    together = evaluator.embed_texts(texts)
    for text, point in zip(texts, together, strict=True):
        assert np.allclose(evaluator.embed_texts([text])[0], point, atol=1e-5)
    assert np.abs(together[0] - together[2]).max() > 1e-3


def test_missing_joints_are_never_read(evaluator: Evaluator, clip: Make) -> None:
    motion = clip()
    valid = motion.valid.copy()
    valid[:, HEAD] = False
    valid[10:14, FOOT] = False
    moved = motion.positions.copy()
    moved[~valid] = 50.0
    a, b = motion.but(valid=valid), motion.but(valid=valid, positions=moved)
    assert np.allclose(evaluator.full_features([a]), evaluator.full_features([b]), atol=1e-6)
    assert np.abs(evaluator.full_features([a]) - evaluator.full_features([motion])).max() > 1e-3


def test_body_size_is_not_read_but_noise_and_duration_are(evaluator: Evaluator, clip: Make) -> None:
    motion = clip()
    base = evaluator.full_features([motion])
    assert np.allclose(evaluator.full_features([clip(size=1.4)]), base, atol=1e-5)
    noise = 0.03 * np.random.default_rng(0).standard_normal(motion.positions.shape)
    for other in (motion.but(positions=motion.positions + noise), motion.but(fps=15.0)):
        assert np.abs(evaluator.full_features([other]) - base).max() > 1e-3


def test_training_mode_is_left_for_use(evaluator: Evaluator, clip: Make) -> None:
    base = evaluator.full_features([clip()])
    assert np.array_equal(evaluator.train().full_features([clip()]), base)
    text = evaluator.embed_texts(["squat"])
    assert np.array_equal(evaluator.train().embed_texts(["squat"]), text)


def test_nothing_to_read_is_one_line(evaluator: Evaluator, clip: Make) -> None:
    with pytest.raises(UserError, match="at least one motion"):
        evaluator.features([])
    with pytest.raises(UserError, match="at least one text"):
        evaluator.embed_texts([])
    other = replace(CANONICAL, joint_names=tuple(f"j{i}" for i in range(22)))
    with pytest.raises(UserError, match="canonical 22 joints"):
        evaluator.features([clip().but(skeleton=other)])


def test_principal_components_are_uncorrelated_and_of_deviation_1_on_what_they_were_fitted_to() -> None:
    evaluator = Evaluator(config())
    features = torch.randn(300, 24, generator=torch.Generator().manual_seed(0)) * torch.linspace(3, 0.1, 24) + 5.0
    evaluator.fit_principal(features)
    x = (features - evaluator.centre) @ evaluator.axes.T / evaluator.spread
    assert torch.allclose(x.mean(dim=0), torch.zeros(4), atol=1e-4)
    assert torch.allclose(torch.cov(x.T), torch.eye(4), atol=1e-3)
    assert (evaluator.spread.diff() <= 0).all()
    reference = torch.linalg.eigvalsh(torch.cov(features.double().T)).flip(0)[:4].sqrt()
    assert torch.allclose(evaluator.spread.double(), reference, rtol=1e-5)


# --- words --------------------------------------------------------------------------------------------------------


def test_rows_of_words_pairs_and_grams_do_not_meet() -> None:
    c = words_config(8, 64)
    rows = hashed_words(["lift the left leg", "squat"], c)
    assert rows.shape == (2, 4, 2 + c.max_grams)
    assert (rows[1, 1:] == 0).all()
    for part, lowest in ((rows[..., 0], 1), (rows[..., 1], 65), (rows[..., 2:], 129)):
        real = part[part > 0]
        assert real.min() >= lowest
        assert real.max() < lowest + 63


def test_a_word_is_its_row_its_pair_and_the_scaled_sum_of_its_grams() -> None:
    torch.manual_seed(0)
    words = HashedWords(words_config(8, 64)).eval()
    rows = hashed_words(["go up"], words_config(8, 64))
    vectors, mask = words(rows)
    assert mask.tolist() == [[True, True]]
    table = words.table.weight
    grams = rows[0, 1, 2:]
    expected = table[rows[0, 1, 0]] + table[rows[0, 1, 1]] + table[grams].sum(dim=0) / (grams > 0).sum().sqrt()
    assert torch.allclose(vectors[0, 1], expected, atol=1e-6)


# --- losses -------------------------------------------------------------------------------------------------------


def test_contrast_is_the_entropy_of_a_blind_guess_where_all_points_are_the_same() -> None:
    points = torch.nn.functional.normalize(torch.ones(5, 3), dim=1)
    assert info_nce(points, points, torch.eye(5, dtype=torch.bool)).item() == pytest.approx(np.log(5), rel=1e-5)


def test_contrast_counts_every_right_answer() -> None:
    """Two clips of one exercise are both right for its caption: telling them apart is not asked for."""
    points = torch.eye(2)[[0, 0, 1, 1]]
    same = torch.tensor([0, 0, 1, 1])[:, None] == torch.tensor([0, 0, 1, 1])
    best = np.log(2 + 2 * np.exp(-10))
    assert info_nce(points, points, same).item() == pytest.approx(best, rel=1e-4)
    assert info_nce(points, points, torch.zeros(4, 4, dtype=torch.bool)).item() == 0.0


def test_errors_of_what_is_not_known_do_not_count() -> None:
    told, truth = torch.tensor([[1.0, 9.0]]), torch.tensor([[3.0, 0.0]])
    assert masked_error(told, truth, torch.tensor([[True, False]])).item() == 4.0
    assert masked_error(told, truth, torch.zeros(1, 2, dtype=torch.bool)).item() == 0.0


def test_kinematics_of_rest_a_line_and_a_zigzag() -> None:
    t = torch.arange(16.0)
    parts = torch.zeros(1, 16, 22, 3)
    parts[0, :, 1, 0] = 0.1 * t  # a line: range, no roughness
    parts[0, :, 2, 1] = 0.05 * (-1) ** t  # a zigzag: second differences of 0.2
    told, known = kinematics(parts, torch.ones(1, 16, 22, dtype=torch.bool), torch.tensor([np.e**2]))
    assert told.shape == (1, 45)
    assert known.all()
    assert told[0, [0, 22]].tolist() == pytest.approx(np.log([0.02, 0.003]).tolist(), rel=1e-4)
    assert told[0, 1].item() == pytest.approx(float(np.log(np.hypot(0.1 * np.sqrt((16**2 - 1) / 12), 0.02))), rel=1e-4)
    assert told[0, 23].item() == pytest.approx(np.log(0.003), abs=1e-2)
    assert told[0, [2, 24]].exp().tolist() == pytest.approx([np.hypot(0.05, 0.02), np.hypot(0.2, 0.003)], rel=1e-4)
    assert told[0, 44].item() == pytest.approx(2.0)


def batch_of(n: int = 6) -> EvaluatorBatch:
    g = torch.Generator().manual_seed(0)
    return EvaluatorBatch(
        positions=torch.randn(n, 16, 22, 3, generator=g),
        valid=torch.rand(n, 16, 22, generator=g) > 0.1,
        seconds=torch.linspace(1, 4, n),
        rows=hashed_words([f"move number {i}" for i in range(n)], words_config(16, 256)),
        group=torch.arange(n) // 3,
        side=torch.tensor([1, 2, 1, 0, 0, 0])[:n],
        said=torch.tensor([1, 2, 0, 0, 0, 0])[:n],
        whole=torch.arange(n) != 5,
        unit=torch.rand(n, 1, generator=g),
        scored=torch.arange(n)[:, None] < 3,
    )


def test_a_caption_fits_its_exercise_and_the_side_it_says() -> None:
    expected = [[1, 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0]] + [[0, 0, 0, 1, 1, 1]] * 3
    assert batch_of().positive.int().tolist() == expected


def test_the_loss_reads_no_invalid_joint_and_no_spoilt_clip_as_an_answer(evaluator: Evaluator) -> None:
    batch = batch_of()
    losses = evaluator.loss(batch, Draws(0))
    assert all(torch.isfinite(value) and value.ndim == 0 for value in losses.values())
    moved = torch.where(batch.valid[..., None], batch.positions, torch.full_like(batch.positions, 9.0))
    again = evaluator.loss(replace(batch, positions=moved), Draws(0))
    assert all(torch.allclose(losses[k], again[k], atol=1e-5) for k in losses)
    positions = batch.positions.clone()
    positions[5] += torch.randn(16, 22, 3)
    spoilt = evaluator.loss(replace(batch, positions=positions), Draws(0))
    assert torch.allclose(spoilt["contrast"], losses["contrast"], atol=1e-6)
    assert not torch.allclose(spoilt["kinematics"], losses["kinematics"])


# --- folders ------------------------------------------------------------------------------------------------------


def test_a_loaded_evaluator_is_the_saved_one(evaluator: Evaluator, clip: Make, tmp_path: Path) -> None:
    evaluator.fit_principal(torch.randn(50, 24))
    save_model(evaluator, PROVENANCE, tmp_path)
    loaded, provenance = load_evaluator(tmp_path)
    assert provenance == PROVENANCE
    assert loaded.config == evaluator.config
    assert not loaded.training
    assert np.array_equal(loaded.features([clip()]), evaluator.features([clip()]))
    assert np.array_equal(loaded.embed_texts(["squat"]), evaluator.embed_texts(["squat"]))
    assert sorted(p.name for p in tmp_path.iterdir()) == [CONFIG, WEIGHTS]


def test_half_precision_hardly_moves_the_features(evaluator: Evaluator, clip: Make, tmp_path: Path) -> None:
    evaluator.fit_principal(torch.randn(50, 24))
    save_model(evaluator, PROVENANCE, tmp_path, half=True)
    loaded, _ = load_evaluator(tmp_path)
    assert np.allclose(loaded.features([clip()]), evaluator.features([clip()]), atol=0.01)


def test_evaluators_do_not_generate_and_generators_do_not_judge(
    evaluator: Evaluator, make_config: Callable[..., DiffusionConfig], tmp_path: Path
) -> None:
    save_model(evaluator, PROVENANCE, tmp_path / "judge")
    save_model(DiffusionGenerator(make_config()), replace(PROVENANCE, people={}), tmp_path / "maker")
    with pytest.raises(UserError, match=r'a model that generates, .*"evaluator"\. .*--model diffusion') as caught:
        load_model(tmp_path / "judge")
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r'an evaluator, .*"diffusion"\. .*--model evaluator') as caught:
        load_evaluator(tmp_path / "maker")
    assert "\n" not in str(caught.value)


def broken(folder: Path, **changes: object) -> str:
    data = json.loads((folder / CONFIG).read_text())
    data["model"].update(changes)
    (folder / CONFIG).write_text(json.dumps(data))
    with pytest.raises(UserError) as caught:
        load_evaluator(folder)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"variant": "lstm"}, "gru or transformer"),
        ({"wings": 2}, "wings"),
        ({"d": 0}, "d of 1 or more"),
        ({"heads": 3}, "heads"),
        ({"n_frames": 18}, "frames"),
        ({"n_principal": 25}, "principal"),
        ({"mean": [0.0]}, "mean and std"),
        ({"std": [0.0] * N_CHANNELS}, "mean and std"),
        ({"scales": ["stars"]}, "score scales"),
        ({"dropout": float("nan")}, "finite"),
        ({"d_space": 9}, "weights"),
    ],
)
def test_a_configuration_of_no_evaluator_is_one_line(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    save_model(Evaluator(config()), PROVENANCE, tmp_path)
    assert says in broken(tmp_path, **changes)


def test_damaged_weights_are_one_line(tmp_path: Path) -> None:
    save_model(Evaluator(config()), PROVENANCE, tmp_path)
    data = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="could not read them"):
        load_evaluator(tmp_path)
