"""The plan: every registered part is trained, it fits its budget, and what is cut takes along what follows it."""

import json
from dataclasses import replace

import pytest

from rehabmotion.models.direct.backbones import BACKBONES
from rehabmotion.models.direct.heads import HEADS, ROOTS
from rehabmotion.models.direct.sequences import SEQUENCES
from rehabmotion.workflows.direct.plan import BASE, FULL, SMOKE, as_rows, fitting, plan
from rehabmotion.workflows.direct.runs import settings_of, slug


@pytest.mark.parametrize("sizes", [SMOKE, FULL])
def test_every_registered_part_is_trained_within_the_budget(sizes) -> None:
    runs, cut = fitting(plan(sizes), sizes.budget)
    assert {r.frame.backbone for r in runs if r.kind == "frame"} == set(BACKBONES)
    assert {r.frame.head for r in runs} == set(HEADS)
    assert {r.frame.root for r in runs} == set(ROOTS)
    assert {r.sequence.sequence for r in runs if r.kind == "sequence"} == set(SEQUENCES) - {"none"}
    assert {r.kind for r in runs} == {"frame", "keypoints", "sequence", "joint"}
    assert cut == []
    assert sum(r.minutes for r in runs) <= sizes.budget


@pytest.mark.parametrize("sizes", [SMOKE, FULL])
def test_names_are_files_of_their_own_and_what_a_run_follows_stands_before(sizes) -> None:
    runs = plan(sizes)
    names = [r.name for r in runs]
    assert len({slug(n) for n in names}) == len(names)
    for i, run in enumerate(runs):
        assert run.beside in names
        assert not run.of or run.of in names[:i]
        json.dumps(settings_of(run))
    assert len(as_rows(runs)) == len(runs)


def test_full_crosses_all_backbones_with_all_sequence_networks() -> None:
    pairs = {(r.frame.backbone, r.sequence.sequence) for r in plan(FULL) if r.kind == "sequence"}
    assert pairs == {(b, s) for b in BACKBONES for s in SEQUENCES if s != "none"}


def test_the_multi_step_network_is_trained_as_the_frame_network_is() -> None:
    runs = {r.name: r for r in plan(FULL)}
    base, steps = runs[BASE], runs["multi-step"]
    same = ("frame", "steps", "batch", "rate", "augment", "loss")
    assert all(getattr(base, name) == getattr(steps, name) for name in same)
    joint, frozen = runs["joint, few steps"], runs["frozen, few steps"]
    assert (joint.steps, joint.batch, joint.sequence) == (frozen.steps, frozen.batch, frozen.sequence)


def test_what_does_not_fit_is_cut_with_what_follows_it() -> None:
    first, second = plan(SMOKE)[:2]
    dear = replace(second, name="dear", minutes=99.0)
    after = replace(second, name="after", of="dear")
    kept, cut = fitting([first, dear, after, replace(second, name="cheap")], 5.0)
    assert [r.name for r in kept] == [first.name, "cheap"]
    assert [r.name for r in cut] == ["dear", "after"]
    assert fitting([first], 0.0) == ([], [first])
