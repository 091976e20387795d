"""Batches: a draw depends on seed, step and rank alone; what a caption says is in accord with the clip."""

import dataclasses
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch

from rehabmotion.data.samples import Samples
from rehabmotion.models.diffusion import DiffusionGenerator
from rehabmotion.models.generator import Batch, Request
from rehabmotion.models.text import SIDES
from rehabmotion.motion import Score
from rehabmotion.training.batches import UNSCORED, BatchMaker, to_device

Make = Callable[[], DiffusionGenerator]


def equal(a: Batch, b: Batch) -> bool:
    parts = zip(a.conditions.__dict__.values(), b.conditions.__dict__.values(), strict=True)
    return torch.equal(a.x, b.x) and torch.equal(a.valid, b.valid) and all(torch.equal(x, y) for x, y in parts)


def test_a_draw_depends_on_seed_step_and_number_alone(make_model: Make, samples: Samples) -> None:
    model = make_model()
    maker = BatchMaker(samples, model.config, seed=3)
    first = maker.draw(model, 5, 6)
    maker.draw(model, 6, 6)
    np.random.default_rng(0).random()
    torch.rand(3)
    assert equal(maker.draw(model, 5, 6), first)
    assert equal(BatchMaker(samples, model.config, seed=3).draw(model, 5, 6), first)
    for other in (maker.draw(model, 6, 6), maker.draw(model, 5, 6, 1, 2)):
        assert not torch.equal(other.x, first.x)
    assert not torch.equal(BatchMaker(samples, model.config, seed=4).draw(model, 5, 6).x, first.x)


def test_clips_are_in_the_units_of_the_model(make_model: Make, samples: Samples) -> None:
    model = make_model()
    batch = BatchMaker(samples, model.config).fixed(model, np.arange(8), 0)
    assert batch.x.shape == (8, 16, 66)
    assert torch.allclose(batch.x * model.std + model.mean, torch.from_numpy(samples.x), atol=1e-5)
    assert torch.allclose(batch.x.mean(dim=(0, 1)), torch.zeros(66), atol=1e-4)
    assert torch.equal(batch.valid, torch.from_numpy(samples.mask))
    assert torch.allclose(batch.conditions.seconds, torch.from_numpy(samples.seconds))
    assert batch.frame_mask is None


def test_held_out_people_are_nobody_in_particular(make_model: Make, samples: Samples) -> None:
    model = make_model()
    known = dataclasses.replace(samples, person=np.arange(8) % 3)
    own, others = (BatchMaker(known, model.config, own_people=own)._people(np.arange(8)) for own in (True, False))
    assert own == [0, 1, 2, 0, 1, 2, 0, 1]
    assert others == [-1] * 8
    assert BatchMaker(samples, model.config).fixed(model, np.arange(8), 0).conditions.person.tolist() == [-1] * 8


def test_padded_clips_say_which_frames_are_real(make_model: Make, samples: Samples) -> None:
    model = make_model()
    short = dataclasses.replace(samples, frames=np.arange(9, 17))
    batch = BatchMaker(short, model.config).fixed(model, np.arange(8), 0)
    assert batch.frame_mask is not None
    assert batch.frame_mask.sum(dim=1).tolist() == list(range(9, 17))


def test_clips_are_drawn_as_often_as_their_weight_says(make_model: Make, samples: Samples) -> None:
    model = make_model()
    weight = np.array([0.5, 0.5, 0, 0, 0, 0, 0, 0])
    batch = BatchMaker(dataclasses.replace(samples, weight=weight), model.config, warp=False).draw(model, 0, 40)
    rows = {x.numpy().tobytes() for x in batch.x}
    assert len(rows) == 2


def asked(make_model: Make, samples: Samples, n: int = 400) -> list[tuple[int, str, Score | None, str]]:
    """What n clips are asked for with: row, text, score, side."""
    maker = BatchMaker(samples, make_model().config)
    rng = np.random.default_rng(0)
    rows = rng.integers(len(samples), size=n)
    return [(int(row), c.text, score, side) for row in rows for c, score, side in [maker._ask(int(row), rng)]]


def test_scores_are_of_the_clip_and_sometimes_left_out(make_model: Make, samples: Samples) -> None:
    found = asked(make_model, samples)
    assert all(score is None or score in samples.scores[row] for row, _, score, _ in found)
    left_out = np.mean([score is None for _, _, score, _ in found])
    assert left_out == pytest.approx(UNSCORED, abs=0.05)
    assert {score.scale for _, _, score, _ in found if score} == {"fms", "sim"}


def test_a_side_is_that_of_the_clip_or_not_told(make_model: Make, samples: Samples) -> None:
    found = asked(make_model, samples)
    assert all(side in ("none", samples.side[row]) for row, _, _, side in found)
    assert 0.02 < np.mean([side == "none" for _, _, _, side in found]) < 0.2


def test_grades_in_words_are_the_grade_of_the_clip(make_model: Make, samples: Samples) -> None:
    said = [(row, re.search(r"FMS score (\d)$", text)) for row, text, _, _ in asked(make_model, samples)]
    grades = [(next(s.value for s in samples.scores[row] if s.scale == "fms"), int(m.group(1))) for row, m in said if m]
    assert len(grades) > 5
    assert all(clip == words for clip, words in grades)


@pytest.mark.parametrize("value", [0, 1])
def test_quality_in_words_is_that_of_the_clip(make_model: Make, samples: Samples, value: int) -> None:
    judged = dataclasses.replace(samples, scores=((Score("uiprmd", value),),) * len(samples))
    maker, rng = BatchMaker(judged, make_model().config), np.random.default_rng(1)
    said = {maker._in_words(list(judged.scores[0]), None, rng) for _ in range(50)}
    assert said == {(None, None), (value == 1, None)}


def test_a_clip_of_no_known_exercise_keeps_its_own_words(make_model: Make, samples: Samples) -> None:
    n = len(samples)
    foreign = dataclasses.replace(samples, exercise=("",) * n, text=("a person juggles",) + ("",) * (n - 1))
    found = asked(make_model, foreign, 100)
    assert all(text == "a person juggles" for row, text, _, _ in found if row == 0)
    assert all(text for _, text, _, _ in found)
    model = make_model()
    batch = BatchMaker(foreign, model.config).fixed(model, np.arange(8), 0)
    assert (batch.conditions.exercise[:, -1] >= 0.5).all()  # mostly `other`


def test_the_exercise_is_mostly_known_and_partly_read_from_the_text(make_model: Make, samples: Samples) -> None:
    model = make_model()
    batch = BatchMaker(samples, model.config).fixed(model, np.arange(8), 0)
    index = [model.config.text.exercises.index(e) for e in samples.exercise]
    share = batch.conditions.exercise[torch.arange(8), torch.tensor(index)]
    assert (share > 0.5).all()
    assert (share < 1.0).any()
    assert torch.allclose(batch.conditions.exercise.sum(dim=1), torch.ones(8))


def test_moving_a_batch_moves_all_of_it(make_model: Make, samples: Samples) -> None:
    model = make_model()
    batch = BatchMaker(samples, model.config).fixed(model, np.arange(4), 0)
    moved = to_device(batch, torch.device("meta"))
    tensors = [moved.x, moved.valid, *moved.conditions.__dict__.values()]
    assert {t.device.type for t in tensors} == {"meta"}


def test_a_request_and_a_batch_speak_of_sides_alike(make_model: Make, samples: Samples) -> None:
    model = make_model()
    c = model.conditions(Request(["squat"] * 4, SIDES, [None] * 4, [0.0] * 4, [2.0] * 4))
    assert torch.equal(c.side, torch.eye(4))
