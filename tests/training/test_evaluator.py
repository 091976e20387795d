"""Training of the evaluator: batches in accord with the clips, what is spoilt is known, a stopped run goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import rehabmotion.workflows.train as shared
from rehabmotion.data.captions import TRAINING_FAMILIES
from rehabmotion.data.simulator import simulate
from rehabmotion.errors import UserError
from rehabmotion.models.evaluator import Evaluator, EvaluatorConfig
from rehabmotion.models.store import CARD, load_evaluator
from rehabmotion.motion import EXERCISES, Motion, Score
from rehabmotion.motion.transforms import canonicalise
from rehabmotion.training import evaluator as module
from rehabmotion.training.evaluator import (
    EvaluatorBatches,
    EvaluatorSamples,
    channel_statistics,
    evaluator_samples,
    fit_features,
    hidden,
    spoilt,
    turned,
)
from rehabmotion.training.loop import TrainingConfig, train
from rehabmotion.workflows.train_evaluator import agreement_table, recorded, spoken, train_evaluator

CONFIG = TrainingConfig(steps=6, batch_size=6, warm_up=2, validate_every=3, save_every=3, ema=0.9)


@pytest.fixture(scope="session")
def people() -> dict[str, list[Motion]]:
    """Some simulated clips as if they had been recorded, and one clip that has a text alone."""
    asked = [("deep_squat", "both"), ("hurdle_step", "left"), ("hurdle_step", "right"), ("trunk_rotation", "right")]
    clips = [canonicalise(simulate(e, side, i, grade=2)) for i, (e, side) in enumerate(asked * 2)]
    clips = [m.but(meta={"subject": f"s{i % 2}"}, scores=(Score("uiprmd", i % 2),)) for i, m in enumerate(clips)]
    walk = clips[1].but(text="a person steps over the left one", meta={"exercise": None, "side": None}, scores=())
    return {"uiprmd": clips, "cmu": [walk, walk.but(text="")]}


@pytest.fixture(scope="session")
def samples(people: dict[str, list[Motion]]) -> EvaluatorSamples:
    return evaluator_samples(people, 16)


@pytest.fixture
def make(samples: EvaluatorSamples) -> Callable[..., Evaluator]:
    """A function that makes the same tiny evaluator anew."""
    statistics = channel_statistics(samples.clips)

    def new(variant: str = "transformer") -> Evaluator:
        torch.manual_seed(0)
        small = {"n_frames": 16, "d": 16, "layers": 1, "heads": 2, "d_text": 16, "buckets": 512}
        c = EvaluatorConfig(statistics.mean, statistics.std, samples.scales, variant, **small, n_principal=4)
        return Evaluator(c)

    return new


Make = Callable[..., Evaluator]


# --- samples ------------------------------------------------------------------------------------------------------


def test_every_clip_stands_beside_its_mirror_image_and_wordless_ones_are_left_out(samples: EvaluatorSamples) -> None:
    assert len(samples) == 2 * 9
    assert samples.ids[:4] == ("deep_squat both", "hurdle_step left", "hurdle_step right", "trunk_rotation right")
    assert samples.ids[9:12] == ("deep_squat both", "hurdle_step right", "hurdle_step left")
    assert samples.ids[8] == "a person steps over the left one"
    assert samples.ids[17] == "a person steps over the right one"
    with pytest.raises(UserError, match="exercise or a text"):
        evaluator_samples({"cmu": [Motion(np.zeros((4, 22, 3)), 30)]})


def test_corpora_count_by_their_share_and_inside_them_exercises_and_sides_alike(samples: EvaluatorSamples) -> None:
    weight, ids = samples.weight, np.array(samples.ids)
    assert weight.sum() == pytest.approx(1)
    assert weight[np.array(samples.corpus) == "cmu"].sum() == pytest.approx(0.2 / 1.2)
    own = [weight[ids == name].sum() for name in sorted(set(ids[:4]))]
    assert own == pytest.approx([1 / 1.2 / 5] * 4)  # the fifth is the mirrored trunk rotation


def test_groups_are_exercises_but_both_sides_at_once_and_texts_are_their_own(
    people: dict[str, list[Motion]], samples: EvaluatorSamples
) -> None:
    groups = samples.groups
    assert groups[1] == groups[2] == groups[10]
    assert len({groups[0], groups[1], groups[3], groups[8], groups[17]}) == 5
    arms = [
        people["uiprmd"][0].but(meta={"exercise": "upper_limb_extension", "side": s}) for s in ("left", "right", "both")
    ]
    a, b, both = evaluator_samples({"mars": arms}, 16, mirrored=False).groups
    assert a == b != both


# --- batches ------------------------------------------------------------------------------------------------------


def test_a_draw_depends_on_seed_step_and_shard_alone(make: Make, samples: EvaluatorSamples) -> None:
    model, maker = make(), EvaluatorBatches(samples, samples.scales, seed=3)
    first = maker.draw(model, 5, 8)
    maker.draw(model, 6, 8)
    again = EvaluatorBatches(samples, samples.scales, seed=3).draw(model, 5, 8)
    assert all(torch.equal(a, b) for a, b in zip(vars(first).values(), vars(again).values(), strict=True))
    for other in (maker.draw(model, 6, 8), maker.draw(model, 5, 8, shard=1)):
        assert not torch.equal(other.positions, first.positions)


def test_captions_come_from_training_wording_and_say_no_side_but_the_clips(
    samples: EvaluatorSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    families: set[tuple[str, ...]] = set()
    draw = module.draw_caption

    def spy(exercise, side, rng, asked, quality):  # type: ignore[no-untyped-def]
        families.add(tuple(asked))
        return draw(exercise, side, rng, asked, quality)

    monkeypatch.setattr(module, "draw_caption", spy)
    maker, rng = EvaluatorBatches(samples, samples.scales), np.random.default_rng(0)
    for row in range(len(samples)):
        for _ in range(20):
            caption = maker._caption(row, rng)
            assert caption.side in ("none", samples.side[row])
            if not samples.exercise[row]:
                assert caption.text == samples.text[row]
    assert families == {TRAINING_FAMILIES}


def test_scores_stand_in_the_column_of_their_scale(make: Make, samples: EvaluatorSamples) -> None:
    batch = EvaluatorBatches(samples, ("sim", "uiprmd")).fixed(make(), np.arange(9), 0)
    assert batch.scored[:, 0].sum() == 0
    assert batch.scored[:, 1].tolist() == [True] * 8 + [False]
    assert batch.unit[:8, 1].tolist() == [0, 1] * 4
    assert batch.whole.all()
    assert np.array_equal(batch.positions, samples.clips.positions[:9])


def test_spoilt_clips_are_frozen_or_noisy_and_the_others_untouched() -> None:
    x = np.random.default_rng(0).standard_normal((400, 16, 22, 3)).astype(np.float32)
    out, whole = spoilt(x, np.random.default_rng(1))
    assert np.array_equal(out[whole], x[whole])
    still = (out == out[:, :1]).all(axis=(1, 2, 3))
    assert not (still & whole).any()
    assert 0.02 < still.mean() < 0.09
    noise = (out - x)[~whole & ~still].std(axis=(1, 2, 3))
    assert 0.14 < len(noise) / 400 < 0.27
    assert noise.min() > 0.9 * module.NOISE[0]
    assert noise.max() < 1.1 * module.NOISE[1]


def test_turning_keeps_heights_and_distances() -> None:
    x = np.random.default_rng(0).standard_normal((50, 4, 22, 3)).astype(np.float32)
    out = turned(x, np.random.default_rng(1))
    assert np.allclose(out[..., 1], x[..., 1], atol=1e-5)
    assert np.allclose(np.linalg.norm(out, axis=-1), np.linalg.norm(x, axis=-1), atol=1e-4)
    cosine = (out[..., [0, 2]] * x[..., [0, 2]]).sum(axis=-1) / (x[..., [0, 2]] ** 2).sum(axis=-1)
    assert cosine.min() > np.cos(module.TURN) - 1e-4


def test_joints_are_hidden_for_the_whole_clip_pelvis_and_hips_never() -> None:
    out = hidden(np.ones((300, 8, 22), bool), np.random.default_rng(0))
    assert (out == out[:, :1]).all()
    assert out[..., :3].all()
    assert 0.08 < (~out.all(axis=(1, 2))).mean() < 0.2


# --- training -----------------------------------------------------------------------------------------------------


def run(
    model: Evaluator, samples: EvaluatorSamples, out: Path, config: TrainingConfig = CONFIG, **more: object
) -> Evaluator:
    makers = EvaluatorBatches(samples, samples.scales, config.seed), EvaluatorBatches(samples, samples.scales)
    return train(model, *makers, config, out, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("variant", ["gru", "transformer"])
def test_a_stopped_run_ends_with_the_weights_of_one_that_was_not(
    make: Make, samples: EvaluatorSamples, tmp_path: Path, variant: str
) -> None:
    whole = run(make(variant), samples, tmp_path / "whole")

    def stop(step: int, *_: object) -> None:
        if step == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(make(variant), samples, tmp_path / "run", progress=stop)
    resumed = run(make(variant), samples, tmp_path / "run", resume=True)
    pairs = zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    header, *rows = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert header == "step,split,name,value"
    names = ("total", "contrast", "poses", "kinematics", "score")
    expected = [[step, "validation", name] for step in ("3", "6") for name in names]
    assert [row.split(",")[:3] for row in rows] == expected


@pytest.mark.parametrize("variant", ["gru", "transformer"])
def test_text_and_motion_come_together(make: Make, samples: EvaluatorSamples, tmp_path: Path, variant: str) -> None:
    losses: list[float] = []
    config = TrainingConfig(steps=100, batch_size=16, warm_up=5, learning_rate=5e-3, ema=0.9, save_every=999)
    run(make(variant), samples, tmp_path, config, progress=lambda *a: losses.append(a[2]["contrast"]))
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def test_principal_axes_are_those_of_recorded_people(make: Make, people: dict[str, list[Motion]]) -> None:
    model = make()
    both = evaluator_samples({**people, "simulator": people["uiprmd"][:1] * 30}, 16)
    fit_features(model, both)
    motions = [m for m in people["uiprmd"]]
    expected = evaluator_samples(people, 16)
    again = make()
    fit_features(again, expected)
    assert np.allclose(model.features(motions), again.features(motions), atol=1e-4)


# --- the workflow -------------------------------------------------------------------------------------------------


@pytest.fixture
def corpora(people: dict[str, list[Motion]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the made people into the place of the corpora; one of the two is held out."""

    def prepared(name: str, *_: object) -> list[Motion]:
        base, _, split = name.partition(":")
        return [m for m in people[base] if (m.meta["subject"] == "s1") == (split == "val")]

    monkeypatch.setattr(shared, "prepared", prepared)
    monkeypatch.setattr(shared, "corpus_root", lambda *_: None)


@pytest.mark.usefixtures("corpora")
@pytest.mark.parametrize("variant", ["gru", "transformer"])
def test_a_run_folder_holds_an_evaluator_with_its_card(tmp_path: Path, variant: str) -> None:
    said: list[str] = []
    out = train_evaluator(["uiprmd", "cmu"], tmp_path / "run", "smoke", 2, seed=4, say=said.append, variant=variant)
    model, provenance = load_evaluator(out)
    assert model.config.variant == variant
    assert provenance.corpora == ("uiprmd", "cmu")
    assert provenance.held_out == ("cmu s1", "uiprmd s1")
    assert provenance.exercises == ("deep_squat", "hurdle_step")  # of the training person
    card = (out / CARD).read_text()
    command = (
        f"rehabmotion train --model evaluator-{variant} --data uiprmd,cmu --size smoke --steps 2 --seed 4 --out RUN"
    )
    assert command in card
    table = [line for line in said if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in table] == ["captions", "---", "names", "unseen wording"]
    assert all(line in card for line in table)
    with pytest.raises(UserError, match="--resume"):
        train_evaluator(["uiprmd", "cmu"], out, "smoke", 2, seed=4, variant=variant)
    with pytest.raises(UserError, match="Expected the settings"):
        train_evaluator(["uiprmd", "cmu"], out, "smoke", 3, seed=4, resume=True, variant=variant)


@pytest.mark.parametrize(
    "change",
    [
        {"variant": "lstm"},
        {"precision": "fp8"},
        {"size_name": "huge"},
        {"steps": 0},
        {"corpora": []},
        {"corpora": ["uiprmd:train"]},
    ],
)
def test_settings_that_make_no_run_leave_no_folder(tmp_path: Path, change: dict[str, object]) -> None:
    settings = {"corpora": ["simulator"], "out": tmp_path / "run", "size_name": "smoke", **change}
    with pytest.raises(UserError):
        train_evaluator(**settings)  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_what_is_measured_are_recorded_people_where_there_are_any(people: dict[str, list[Motion]]) -> None:
    clips = people["uiprmd"]
    assert recorded({"uiprmd": clips[:2], "simulator": clips[2:], "cmu": people["cmu"]}) == clips[:2]
    assert recorded({"simulator": clips[2:]}) == clips[2:]


def test_captions_that_are_measured_say_the_side(people: dict[str, list[Motion]]) -> None:
    rng = np.random.default_rng(0)
    for motion in people["uiprmd"]:
        texts = [spoken(motion, ("name", "third_person"), rng) for _ in range(20)]
        if EXERCISES[motion.meta["exercise"]].sided:
            assert all(motion.meta["side"] in text for text in texts)


def test_too_few_clips_give_no_table(make: Make, people: dict[str, list[Motion]]) -> None:
    assert agreement_table(make(), people["uiprmd"][:3]) == []
    assert len(agreement_table(make(), people["uiprmd"])) == 6
