"""`evaluate`: the contract of its JSON, what is refused and what only a metric refuses, the same bytes again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rehabmotion.data.simulator import simulate
from rehabmotion.io.npz import read_npz, write_npz
from rehabmotion.models.evaluator import Evaluator, EvaluatorConfig
from rehabmotion.models.store import Provenance, save_model
from rehabmotion.motion import Motion, Skeleton
from rehabmotion.motion.transforms import resample
from rehabmotion.workflows.evaluation.table import METRICS

Call = Callable[..., Any]
CONTRACT = [
    "fid",
    "kid",
    "precision",
    "recall",
    "density",
    "coverage",
    "diversity",
    "multimodality",
    "r_precision_1",
    "r_precision_2",
    "r_precision_3",
    "mm_dist",
    "apd",
    "acpd",
    "mms",
    "wpd",
    "wpd_per_frame",
    "foot_slide",
    "foot_skate",
    "penetration",
    "jerk",
    "bone_error",
    "rom_error",
    "symmetry_error",
    "score_mae",
    "score_spearman",
    "memorisation",
    "exercise_accuracy",
]
FAST = ("--repeats", "2")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No data folder, a cache of its own."""
    monkeypatch.delenv("REHABMOTION_DATA", raising=False)
    monkeypatch.setenv("REHABMOTION_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluator's folder: random weights."""
    torch.manual_seed(0)
    config = EvaluatorConfig(
        (0.0,) * 66,
        (1.0,) * 66,
        ("fms", "sim"),
        d=16,
        layers=1,
        heads=2,
        d_text=16,
        buckets=64,
        d_features=16,
        d_space=8,
    )
    folder = tmp_path_factory.mktemp("models") / "judge"
    provenance = Provenance("judge", ("simulator",), (), (), {}, (1.0, 0.1))
    save_model(Evaluator(config), provenance, folder)
    return folder


def people(seed: int, n: int = 24) -> list[Motion]:
    """Squats and arm lifts by turns, done by six people; two of each at every score, 0 to 100."""
    made = []
    for i in range(n):
        exercise = ("deep_squat", "arm_lift")[i % 2]
        motion = simulate(exercise, "both", 1000 * seed + i, score=100.0 * (i // 4) / max(1, n // 4 - 1))
        text = {"deep_squat": "a person performs a deep squat", "arm_lift": "lift both arms overhead"}[exercise]
        made.append(motion.but(text=text, meta={"subject": f"{seed}-{i % 6}"}))
    return made


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of motions: real, generated, and what the generator saw."""
    root = tmp_path_factory.mktemp("sides")
    for seed, name in enumerate(("real", "generated", "train"), start=1):
        for i, motion in enumerate(people(seed)):
            write_npz(motion, root / name / f"{i % 3}" / f"{i:03d}.npz")
    return {name: root / name for name in ("real", "generated", "train")}


def evaluate(call: Call, sides: dict[str, Path], judge: Path, *more: object, **other: object) -> dict[str, Any]:
    """Return what `evaluate --json` prints; `other` names sides."""
    named = {"real": sides["real"], "generated": sides["generated"], **other}
    arguments = [part for name, side in named.items() for part in (f"--{name}", side)]
    result = call("evaluate", *arguments, "--evaluator", judge, *FAST, *more, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_every_metric_is_there_with_its_keys(call: Call, sides: dict[str, Path], judge: Path) -> None:
    told = evaluate(call, sides, judge, train=sides["train"])
    assert list(told) == ["metrics", "data", "command"]
    assert list(told["metrics"]) == CONTRACT == list(METRICS)
    for name, figure in told["metrics"].items():
        assert list(figure) == ["value", "ci", "n", "real", "direction", "unit", "note"], name
        assert figure["direction"] in ("lower", "higher", "real")
        assert figure["value"] is not None, (name, figure["note"])
        low, high = figure["ci"]
        assert low <= figure["value"] <= high, (name, figure)
        assert figure["real"] is not None, (name, figure["note"])
        assert figure["note"]
    assert told["data"]["train"] == {"name": "train", "n": 24, "subjects": 6}
    assert str(sides["real"].parent) not in json.dumps(told)


def test_without_training_clips_memorisation_alone_is_refused(call: Call, sides: dict[str, Path], judge: Path) -> None:
    told = evaluate(call, sides, judge)
    refused = {name for name, figure in told["metrics"].items() if figure["value"] is None}
    assert refused == {"memorisation"}
    assert told["metrics"]["memorisation"]["ci"] is None
    assert "--train" in told["metrics"]["memorisation"]["note"]


def test_copies_are_told_and_are_no_copies_of_others(call: Call, sides: dict[str, Path], judge: Path) -> None:
    which = ("--metrics", "memorisation,mms")
    told = evaluate(call, sides, judge, *which, train=sides["train"], generated=sides["train"])
    assert list(told["metrics"]) == ["memorisation", "mms"]
    assert told["metrics"]["memorisation"]["value"] < 1e-6
    assert told["metrics"]["memorisation"]["real"] == 1.0
    assert evaluate(call, sides, judge, *which, train=sides["train"])["metrics"]["memorisation"]["value"] > 0.5


def test_the_real_side_against_itself_is_at_no_distance(call: Call, sides: dict[str, Path], judge: Path) -> None:
    told = evaluate(call, sides, judge, "--metrics", "fid,rom_error,coverage,mms", generated=sides["real"])["metrics"]
    assert told["fid"]["value"] == pytest.approx(0, abs=1e-6)
    assert told["rom_error"]["value"] == 0
    assert told["coverage"]["value"] == 1
    assert told["mms"]["value"] == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_a_second_run_gives_the_same_bytes_and_another_seed_does_not(
    call: Call, sides: dict[str, Path], judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files(out: str, *more: object) -> list[bytes]:
        evaluate(call, sides, judge, "--out", out, *more, train=sides["train"])
        return [(tmp_path / out / f"report.{kind}").read_bytes() for kind in ("json", "md", "html")]

    first = files("first")
    monkeypatch.setenv("REHABMOTION_CACHE", str(tmp_path / "other cache"))
    assert files("second") == first
    assert files("third", "--seed", "5") != first
    assert b"<iframe" in first[2]
    assert str(tmp_path).encode() not in b"".join(first)


def test_a_model_is_asked_for_a_motion_of_each_real_clip(
    call: Call, sides: dict[str, Path], judge: Path, tiny: Path
) -> None:
    which = ("--metrics", "jerk,score_mae,memorisation")
    told = evaluate(call, sides, judge, *which, train=sides["train"], generated=tiny)
    assert told["data"]["generated"] == {"name": "tiny", "n": 24, "subjects": 0}
    assert "covers" not in told["metrics"]["jerk"]["note"] or "not cover new people" in told["metrics"]["jerk"]["note"]
    made = sorted(Path("cache/generated").rglob("*.npz"))
    assert len(made) == 24
    lengths = [[read_npz(path).n_frames for path in paths] for paths in (made, sorted(sides["real"].rglob("*.npz")))]
    assert lengths[0] == lengths[1]
    assert evaluate(call, sides, judge, *which, train=sides["train"], generated=tiny) == told
    assert (
        evaluate(call, sides, judge, *which, "--n", 5, train=sides["train"], generated=tiny)["metrics"]["jerk"]["n"]
        == 5
    )


def test_what_was_generated_before_it_was_stopped_is_taken_up(
    call: Call, sides: dict[str, Path], judge: Path, tiny: Path
) -> None:
    which = ("--metrics", "jerk", "--n", 40)
    whole = evaluate(call, sides, judge, *which, train=sides["train"], generated=tiny)
    made = sorted(Path("cache/generated").rglob("*.npz"))
    kept = made[0].stat().st_mtime_ns
    made[35].unlink()
    assert evaluate(call, sides, judge, *which, train=sides["train"], generated=tiny) == whole
    assert made[35].is_file()
    assert made[0].stat().st_mtime_ns == kept


def test_captions_that_were_shuffled_are_another_request(call: Call, sides: dict[str, Path], judge: Path) -> None:
    shuffled = sides["real"].parent / "shuffled"
    motions = people(2)
    for i, motion in enumerate(motions):
        write_npz(motion.but(text=motions[(i + 1) % len(motions)].text), shuffled / f"{i:03d}.npz")
    which = ("--metrics", "exercise_accuracy")
    right = evaluate(call, sides, judge, *which)["metrics"]["exercise_accuracy"]
    wrong = evaluate(call, sides, judge, *which, generated=shuffled)["metrics"]["exercise_accuracy"]
    assert right["value"] == 1
    assert wrong["value"] == 0


# --- bad input ----------------------------------------------------------------------------------------------------


def write_all(motions: list[Motion], folder: Path) -> Path:
    """Write motions into a folder and return it."""
    for i, motion in enumerate(motions):
        write_npz(motion, folder / f"{i:03d}.npz")
    return folder


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--real", "nowhere", "--generated", "nowhere"), ("nowhere",)),
        (("--real", "{real}", "--generated", "{generated}", "--metrics", "fdi"), ("fdi", "Known")),
        (("--real", "{real}", "--generated", "{generated}", "--n", "0"), ("--n",)),
        (("--real", "{real}", "--generated", "{generated}", "--n", "900"), ("24",)),
        (("--real", "{real}", "--generated", "{generated}", "--repeats", "0"), ("repeats",)),
        (("--real", "{real}", "--generated", "{generated}", "--evaluator", "{tiny}"), ("evaluator", "diffusion")),
        (("--real", "uiprmd:test", "--generated", "{generated}"), ("uiprmd:train",)),
        (("--real", "uiprmd:val", "--generated", "{generated}"), ("needs data",)),
        (("--real", "{real}", "--generated", "{judge}"), ("evaluator",)),
        (("--real", "{real}", "--generated", "{generated}", "--out", "{file}"), ("folder",)),
    ],
)
def test_mistakes_are_one_line(
    call: Call,
    sides: dict[str, Path],
    judge: Path,
    tiny: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    words: tuple[str, ...],
) -> None:
    (tmp_path / "file").write_text("")
    places = {**sides, "judge": judge, "tiny": tiny, "file": tmp_path / "file" / "out"}
    spelled = [a.format(**places) for a in arguments]
    if "--evaluator" not in spelled:
        spelled += ["--evaluator", str(judge)]
    assert call("evaluate", *spelled, "--json").is_mistake(*words)


def test_sides_that_cannot_be_compared_are_refused(call: Call, sides: dict[str, Path], judge: Path) -> None:
    def told(folder: Path) -> Any:
        return call("evaluate", "--real", sides["real"], "--generated", folder, "--evaluator", judge)

    motions = people(3, 4)
    assert told(write_all([], Path("empty"))).is_mistake("empty")
    Path("empty").mkdir()
    assert told(Path("empty")).is_mistake("no", "npz") or told(Path("empty")).is_mistake("found none")
    assert told(write_all(motions[:1], Path("one"))).is_mistake("at least 2", "one")
    assert told(write_all([resample(m, 25.0) for m in motions], Path("rate"))).is_mistake("frame rate", "25", "30")
    mixed = [motions[0], *(resample(m, 20.0) for m in motions[1:])]
    assert told(write_all(mixed, Path("mixed"))).is_mistake("frame rate", "20")
    few = [
        Motion(m.positions[:, :3], m.fps, Skeleton(("pelvis", "left_hip", "right_hip"), (-1, 0, 0))) for m in motions
    ]
    assert told(write_all(few, Path("few"))).is_mistake("22 joints", "few")
    write_all(motions, Path("damaged"))
    Path("damaged/001.npz").write_bytes(Path("damaged/001.npz").read_bytes()[:200])
    assert told(Path("damaged")).is_mistake("001.npz")


def test_few_clips_are_refused_by_the_metrics_that_need_more(call: Call, sides: dict[str, Path], judge: Path) -> None:
    told = evaluate(call, sides, judge, generated=write_all(people(3, 3), Path("three")))["metrics"]
    assert told["coverage"]["value"] is None
    assert "6" in told["coverage"]["note"]
    assert told["r_precision_1"]["value"] is None
    assert told["jerk"]["value"] > 0
    assert told["fid"]["value"] is not None
    assert "unreliable" in told["fid"]["note"]


def test_motions_without_words_exercise_or_score_still_get_the_other_figures(
    call: Call, sides: dict[str, Path], judge: Path
) -> None:
    bare = [
        Motion(m.positions, m.fps, meta={"source": "somewhere", "subject": f"p{i % 5}"})
        for i, m in enumerate(people(3, 12))
    ]
    told = evaluate(call, sides, judge, generated=write_all(bare, Path("bare")))["metrics"]
    refused = {name for name, figure in told.items() if figure["value"] is None}
    assert {"r_precision_1", "mm_dist", "score_mae", "score_spearman", "exercise_accuracy"} <= refused
    assert {"fid", "kid", "jerk", "apd", "wpd"}.isdisjoint(refused)


def test_masked_joints_do_not_count(call: Call, sides: dict[str, Path], judge: Path) -> None:
    def hide(motion: Motion, filler: float) -> Motion:
        valid, x = motion.valid.copy(), motion.positions.copy()
        valid[:, 15], x[:, 15] = False, filler
        return motion.but(positions=x, valid=valid)

    names = ("--metrics", "fid,jerk,bone_error,foot_slide,rom_error")
    folders = [write_all([hide(m, f) for m in people(3, 12)], Path(f"hidden {f:g}")) for f in (0.0, 5.0)]
    first, second = (evaluate(call, sides, judge, *names, generated=folder)["metrics"] for folder in folders)
    assert {k: v["value"] for k, v in first.items()} == {k: v["value"] for k, v in second.items()}
    assert np.isfinite([v["value"] for v in first.values()]).all()
