"""Runs: what they leave, that they go on, and what they refuse."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rehabmotion.errors import UserError
from rehabmotion.workflows.direct import runs
from rehabmotion.workflows.direct.data import Material
from rehabmotion.workflows.direct.errors import MEASURES
from rehabmotion.workflows.direct.plan import BASE, SMOKE, plan
from rehabmotion.workflows.direct.runs import Bench, settings_of
from rehabmotion.workflows.studies.kinematics import _kept

torch.set_num_threads(1)
RUNS = {run.name: replace(run, steps=2, batch=4) for run in plan(SMOKE)}


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")


def test_a_run_is_judged_on_every_clip_and_kept(little: Material, tmp_path: Path) -> None:
    bench = Bench(little, tmp_path)
    found = _kept(bench, RUNS[BASE], tmp_path, lambda *_: None)
    assert set(MEASURES) < set(found["clips"])
    assert all(len(values) == len(little.held_out.person) for values in found["clips"].values())
    assert found["fps"] > 0
    again = _kept(bench, RUNS[BASE], tmp_path, lambda *_: pytest.fail("trained again"))
    assert again == found
    for name in ("sequence", "rows without places", "joint, few steps"):
        after = bench.carry_out(RUNS[name])
        assert after["parameters"] > found["parameters"]
    kept = bench.kept_frame_network(RUNS["sequence"])
    assert not kept.training


def test_a_stopped_run_ends_as_one_that_was_not(
    little: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in training it begins again, stopped in judging it is not trained again."""
    run = replace(RUNS[BASE], steps=4)
    whole = Bench(little, tmp_path / "whole").carry_out(run)
    bench = Bench(little, tmp_path / "stopped")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.carry_out(run, stop)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "all_said", stop)
        with pytest.raises(KeyboardInterrupt):
            bench.carry_out(run)
    assert bench.carry_out(run, lambda *_: pytest.fail("trained again"))["clips"] == whole["clips"]


def test_lost_weights_damaged_results_and_other_plans_are_refused(little: Material, tmp_path: Path) -> None:
    bench = Bench(little, tmp_path)
    with pytest.raises(UserError, match=r"they are gone\. Delete frame\.json"):
        bench.carry_out(RUNS["sequence"])
    folder = bench.folder(BASE)
    folder.mkdir(parents=True)
    (folder / "network.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(UserError, match="Expected weights of this study"):
        bench.carry_out(RUNS["sequence"])
    path = tmp_path / "runs" / "frame.json"
    for text, words in (("{", "could not read it"), ("[]", "got another"), ('{"run": {}}', "got another")):
        path.write_text(text)
        with pytest.raises(UserError, match=words):
            _kept(bench, RUNS[BASE], tmp_path, lambda *_: None)
    assert settings_of(RUNS[BASE])["name"] == BASE


def test_saying_the_mean_is_judged_like_a_network(little: Material, tmp_path: Path) -> None:
    found = Bench(little, tmp_path).constant()
    assert found["angle_deg"][0] > 5
    assert 0 < found["root_deg"][0] <= 180
