"""The utility protocol with made people, a cheap judge, and generators that are perfect, mislabelled or too few."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.metrics import judges, regressors
from rehabmotion.metrics.shape import direction_clip
from rehabmotion.motion import CANONICAL, Motion, Score
from rehabmotion.motion.transforms import mirror
from rehabmotion.workflows.utility.protocol import (
    Downstream,
    Fold,
    UtilitySettings,
    Wanted,
    folds_by_subject,
    utility,
    utility_markdown,
)
from rehabmotion.workflows.utility.tasks import bones_seen, more, real_clips, wanted_like
from rehabmotion.workflows.utility.training import train_in_fold

EXERCISES = ("arm_lift", "squat")


class Nearest:
    """A judge for tests: the class whose mean clip is nearest."""

    def __init__(self, seed: int = 0) -> None:
        self.means: dict[Any, NDArray[np.floating]] = {}

    def fit(self, clips: NDArray[np.floating], labels: NDArray[Any]) -> "Nearest":
        labels = np.asarray(labels)
        self.means = {label: clips[labels == label].mean(axis=0) for label in np.unique(labels)}
        return self

    def predict(self, clips: NDArray[np.floating]) -> NDArray[Any]:
        far = [((clips - mean) ** 2).sum(axis=(1, 2, 3)) for mean in self.means.values()]
        return np.array(list(self.means))[np.argmin(far, axis=0)]


class Ridge:
    """A regressor for tests: linear in all numbers of a clip."""

    def __init__(self, seed: int = 0) -> None:
        pass

    def fit(self, clips: NDArray[np.floating], y: NDArray[np.floating], weights: Any) -> "Ridge":
        self.x = clips.reshape(len(clips), -1)
        self.weight = np.linalg.solve(self.x @ self.x.T + np.eye(len(y)), y)
        return self

    def predict(self, clips: NDArray[np.floating]) -> NDArray[np.floating]:
        return clips.reshape(len(clips), -1) @ self.x.T @ self.weight


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(judges.JUDGES, "nearest", Nearest)
    monkeypatch.setitem(regressors.REGRESSORS, "ridge", Ridge)
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")


def settings(*tasks: str, scale: str = "uiprmd", **changes: Any) -> UtilitySettings:
    defaults: dict[str, Any] = {"n_folds": 3, "shares": (0.5, 1.0), "simple": ("mirror",), "n_draws": 200}
    models = Downstream("nearest", ("ridge",))
    return UtilitySettings(tasks, scale, models=models, **{**defaults, **changes})


@pytest.fixture
def perform(standing: NDArray[np.float64]) -> Callable[..., Motion]:
    """A function that makes somebody lift the arms or squat, the further the better it is done."""

    def make(exercise: str, value: float, scale: str, rng: np.random.Generator, subject: str | None = None) -> Motion:
        share = value / (1 if scale == "uiprmd" else 100)
        wave = np.sin(np.linspace(0, np.pi, 20)) * (0.3 + 0.7 * share)
        x = np.repeat(standing[None], 20, axis=0) + rng.normal(0, 0.004, (20, 22, 3))
        moved = ("wrist", "elbow") if exercise == "arm_lift" else ("pelvis", "hip", "spine", "neck", "collar")
        rows = [i for i, name in enumerate(CANONICAL.joint_names) if any(part in name for part in moved)]
        x[:, rows] += wave[:, None, None] * np.array([0.0, 0.4 if exercise == "arm_lift" else -0.4, 0.1])
        meta = {"subject": subject, "exercise": exercise, "side": "both"}
        return Motion(x, 10.0, scores=(Score(scale, value),), meta=meta)

    return make


def recorded(perform: Callable[..., Motion], scale: str = "uiprmd", people: int = 6, times: int = 2) -> list[Motion]:
    """Both exercises by every person: on uiprmd correct and incorrect, on kimore at the person's own level."""
    rng = np.random.default_rng(0)
    motions = []
    for who in range(people):
        for exercise in EXERCISES:
            levels = (0.0, 1.0) if scale == "uiprmd" else (float(np.round(rng.uniform(0, 100))),)
            motions += [perform(exercise, v, scale, rng, f"s{who}") for v in levels for _ in range(times)]
    return motions


def perfect(perform: Callable[..., Motion], calls: list[Fold] | None = None, mixed: bool = False) -> Any:
    """A generator that performs what was requested; mixed: every second time the other exercise, the other quality."""

    def make(training: list[Motion], fold: Fold) -> Any:
        if calls is not None:
            calls.append(fold)
        assert not {m.meta["subject"] for m in training} & set(fold.test_subjects)
        rng = np.random.default_rng(fold.seed)
        turn: Counter[tuple[str, float]] = Counter()

        def one(w: Wanted) -> Motion:
            assert w.score is not None
            turn[w.exercise, w.score.value] += 1
            k = turn[w.exercise, w.score.value] if mixed else 0
            exercise = EXERCISES[(EXERCISES.index(w.exercise) + k) % 2]
            value = w.score.value if k // 2 % 2 == 0 else 1.0 - w.score.value
            return perform(exercise, value, w.score.scale, rng)

        return lambda wanted: [one(w) for w in wanted]

    return make


def figure(result: dict[str, Any], task: str, row: str, name: str) -> float:
    return float(result["tasks"][task]["rows"][row]["figures"][name])


# --- folds ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=60), st.integers(2, 10), st.integers(0, 5))
def test_nobody_is_in_two_folds_and_everybody_is_in_one(subjects: list[str], n_folds: int, seed: int) -> None:
    people = set(subjects)
    if n_folds > len(people):
        with pytest.raises(UserError, match=f"2 to {len(people)} folds"):
            folds_by_subject(subjects, n_folds, seed)
        return
    folds = folds_by_subject(subjects, n_folds, seed)
    tested = [s for fold in folds for s in fold.test_subjects]
    assert sorted(tested) == sorted(people)
    sizes = [len(fold.test_subjects) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    assert folds == folds_by_subject(list(reversed(subjects)), n_folds, seed)


# --- what is asked for, and what is seen ----------------------------------------------------------------------------


def test_as_many_requests_as_clips_have_the_labels_of_the_clips(perform: Callable[..., Motion]) -> None:
    motions = recorded(perform)
    rng = np.random.default_rng(1)
    wanted = wanted_like(motions, 2 * len(motions), "uiprmd", rng)
    for part in (wanted[: len(motions)], wanted[len(motions) :]):
        assert Counter((w.exercise, str(w.score)) for w in part) == Counter(
            (m.meta["exercise"], str(m.scores[0])) for m in motions
        )
    assert {w.seconds for w in wanted} == {2.0}


def test_the_mirror_image_of_a_clip_is_the_clip_of_the_mirrored_motion(perform: Callable[..., Motion]) -> None:
    motion = perform("squat", 1.0, "uiprmd", np.random.default_rng(0), "s0")
    clips = real_clips([motion], "uiprmd", np.ones(21, bool))
    turned = more("mirror", clips, 1, 0)
    assert np.allclose(turned.x[0], direction_clip(mirror(motion).positions), atol=1e-6)
    assert turned.subject.tolist() == ["s0"]


@pytest.mark.parametrize("kind", ["noise", "warp"])
def test_altered_copies_are_near_their_clips_and_point_in_unit_directions(
    kind: str, perform: Callable[..., Motion]
) -> None:
    bones = np.ones(21, bool)
    bones[0] = False
    clips = real_clips(recorded(perform, people=1), "uiprmd", bones)
    copies = more(kind, clips, len(clips), 3)
    assert np.allclose(np.linalg.norm(copies.x[:, :, 1:], axis=-1), 1, atol=1e-5)
    assert not copies.x[:, :, 0].any()  # unseen bones stay unseen
    nearest = [np.abs(clips.x - x).mean(axis=(1, 2, 3)) for x in copies.x]
    assert 0 < np.min(nearest, axis=1).max() < 0.06
    assert Counter(copies.exercise.tolist()) == Counter(clips.exercise.tolist())
    assert np.array_equal(copies.x, more(kind, clips, len(clips), 3).x)


def test_a_bone_seen_too_seldom_on_one_side_is_seen_by_nobody_on_both(perform: Callable[..., Motion]) -> None:
    motion = perform("squat", 1.0, "uiprmd", np.random.default_rng(0), "s0")
    valid = motion.valid.copy()
    valid[:11, CANONICAL.index("left_foot")] = False
    bones = bones_seen([motion.but(valid=valid)])
    hidden = [CANONICAL.joint_names[joint] for (_, joint), seen in zip(CANONICAL.bones, bones, strict=True) if not seen]
    assert hidden == ["left_foot", "right_foot"]


# --- the protocol ---------------------------------------------------------------------------------------------------


def test_a_perfect_generator_reaches_what_real_clips_reach(perform: Callable[..., Motion], tmp_path: Path) -> None:
    result = utility(recorded(perform), perfect(perform), tmp_path, settings("exercise", "quality"), {})
    for task in ("exercise", "quality"):
        for row in ("TRTR", "TSTR", "TRTS", "TR+S 0.5", "TR+S 1", "mirror 1"):
            assert figure(result, task, row, "balanced_accuracy") > 0.95, (task, row)
        assert figure(result, task, "majority", "balanced_accuracy") == 0.5
        rows = result["tasks"][task]["rows"]
        assert list(rows) == [
            "majority", "TRTR", "TSTR", "TRTS", "TR+S 0.5", "TR+S 1", "mirror 0.5", "mirror 1",
        ]  # fmt: skip
        assert [rows[row]["n_train"] for row in rows] == [0, 32, 32, 32, 48, 64, 48, 64]
    assert result["tasks"]["exercise"]["confusion"]["TRTS"]["classes"] == list(EXERCISES)
    assert result["n_clips"] == result["tasks"]["quality"]["n_tested"] == 48


def test_a_generator_that_mixes_up_what_was_asked_is_caught_by_both_directions(
    perform: Callable[..., Motion], tmp_path: Path
) -> None:
    """TSTR learns nothing from it and TRTS does not recognise it, although every single clip is like a real one."""
    made = perfect(perform, mixed=True)
    result = utility(recorded(perform, people=9), made, tmp_path, settings("exercise"), {})
    assert figure(result, "exercise", "TRTR", "balanced_accuracy") == 1
    assert 0.2 < figure(result, "exercise", "TSTR", "balanced_accuracy") < 0.8
    assert figure(result, "exercise", "TRTS", "balanced_accuracy") == pytest.approx(0.5, abs=0.05)
    lost = result["tasks"]["exercise"]["rows"]["TSTR"]["difference"]["balanced_accuracy"]
    assert lost["pooled"] < 0
    assert lost["interval"][1] <= 0
    assert len(lost["folds"]) == 3


def test_scores_stand_beside_constants_that_look_at_nothing(perform: Callable[..., Motion], tmp_path: Path) -> None:
    """Six people have one score in each exercise: 12 recordings, not 24 clips, are what is tested."""
    motions = recorded(perform, "kimore")
    result = utility(motions, perfect(perform), tmp_path, settings("score", scale="kimore"), {})
    task = result["tasks"]["score"]
    assert task["n_tested"] == 12
    assert figure(result, "score", "TRTR", "r2") > 0.8
    assert figure(result, "score", "TSTR", "spearman") > 0.8
    folds = folds_by_subject([m.meta["subject"] for m in motions], 3)
    table = {(m.meta["subject"], m.meta["exercise"]): m.scores[0].value for m in motions}
    errors: dict[str, list[float]] = {"mean": [], "median": []}
    for fold in folds:
        for (who, exercise), value in table.items():
            if who in fold.test_subjects:
                known = [v for (s, e), v in table.items() if e == exercise and s not in fold.test_subjects]
                errors["mean"].append(value - float(np.mean(known)))
                errors["median"].append(value - float(np.median(known)))
    rmse = float(np.sqrt(np.mean(np.square(errors["mean"]))))
    assert figure(result, "score", "constant mean", "rmse") == pytest.approx(rmse)
    assert figure(result, "score", "constant median", "mae") == pytest.approx(float(np.mean(np.abs(errors["median"]))))
    assert figure(result, "score", "constant mean", "r2") < 0.2


def test_intervals_hold_their_figures_and_a_difference_is_that_of_the_figures(
    perform: Callable[..., Motion], tmp_path: Path
) -> None:
    result = utility(
        recorded(perform, "kimore"), perfect(perform), tmp_path, settings("score", scale="kimore", n_draws=400), {}
    )
    rows = result["tasks"]["score"]["rows"]
    for name in ("constant mean", "TRTR", "TSTR"):
        for kind in ("rmse", "mae"):
            low, high = rows[name]["interval"][kind]
            assert low <= rows[name]["figures"][kind] <= high
    assert rows["TRTS"]["interval"] is None
    for kind, entry in rows["TSTR"]["difference"].items():
        assert entry["pooled"] == rows["TSTR"]["figures"][kind] - rows["TRTR"]["figures"][kind]
    assert "difference" not in rows["TRTR"]
    assert result["tasks"]["score"]["interval"] == "drawn again: 6 people with all their clips"


def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(perform: Callable[..., Motion], tmp_path: Path) -> None:
    motions, calls = recorded(perform), []
    said: list[tuple[int, int, str]] = []
    utility(
        motions, perfect(perform, calls), tmp_path, settings("quality"), {"name": "fake"}, lambda *s: said.append(s)
    )
    assert [fold.number for fold in calls] == [0, 1, 2]
    assert said[:2] == [(0, 3, "quality: TRTR"), (0, 3, "training the generator")]
    whole = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name in ("fold-01.json", "utility.json", "utility.md"):
        (tmp_path / name).unlink()
    calls.clear()
    utility(motions, perfect(perform, calls), tmp_path, settings("quality"), {"name": "fake"})
    assert [fold.number for fold in calls] == [1]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == whole
    assert sorted(whole) == [
        "fold-00.json", "fold-01.json", "fold-02.json", "settings.json", "utility.json", "utility.md",
    ]  # fmt: skip


def test_another_question_is_refused_in_a_folder_that_holds_a_run(
    perform: Callable[..., Motion], tmp_path: Path
) -> None:
    motions = recorded(perform)
    utility(motions, perfect(perform), tmp_path, settings("exercise"), {"name": "fake"})
    with pytest.raises(UserError, match="other settings"):
        utility(motions, perfect(perform), tmp_path, settings("exercise", seed=1), {"name": "fake"})
    with pytest.raises(UserError, match="other generator"):
        utility(motions, perfect(perform), tmp_path, settings("exercise"), {"name": "other"})
    with pytest.raises(UserError, match="other motions"):
        utility(motions[::-1], perfect(perform), tmp_path, settings("exercise"), {"name": "fake"})


def test_a_damaged_or_foreign_fold_is_refused(perform: Callable[..., Motion], tmp_path: Path) -> None:
    motions, path = recorded(perform), tmp_path / "fold-02.json"
    utility(motions, perfect(perform), tmp_path, settings("exercise"), {})
    fold = json.loads(path.read_text())
    path.write_text(json.dumps({**fold, "key": "0"}))
    with pytest.raises(UserError, match="belongs to another"):
        utility(motions, perfect(perform), tmp_path, settings("exercise"), {})
    path.write_text("{")
    with pytest.raises(UserError, match="finished fold"):
        utility(motions, perfect(perform), tmp_path, settings("exercise"), {})


def test_a_generator_that_gives_too_few_is_refused(perform: Callable[..., Motion], tmp_path: Path) -> None:
    def lazy(training: list[Motion], fold: Fold) -> Any:
        return lambda wanted: perfect(perform)(training, fold)(wanted[1:])

    with pytest.raises(UserError, match="a motion for each of 32 requests, the generator gave 31"):
        utility(recorded(perform), lazy, tmp_path, settings("exercise"), {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": ("mood",)}, "mood"),
        ({"tasks": ()}, "a task or more"),
        ({"shares": (0.0,)}, "shares above 0"),
        ({"simple": ("salt",)}, "salt"),
        ({"scale": None}, "a scale of"),
        ({"scale": "kimore"}, "scored on kimore, 48 are not"),
        ({"n_folds": 7}, "2 to 6 folds"),
        ({"models": Downstream("oracle", ("ridge",))}, "oracle"),
        ({"models": Downstream("nearest", ("tea",))}, "tea"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_trained(
    changes: dict[str, Any], message: str, perform: Callable[..., Motion], tmp_path: Path
) -> None:
    asked = UtilitySettings(**{**vars(settings("quality")), **changes})
    calls: list[Fold] = []
    with pytest.raises(UserError, match=message):
        utility(recorded(perform), perfect(perform, calls), tmp_path / "out", asked, {})
    assert not calls
    assert not (tmp_path / "out").exists()


def test_a_judge_that_cannot_be_fitted_is_told_before_a_generator_is_trained(
    perform: Callable[..., Motion], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the extra, hours of training would have ended in the advice to install it."""

    def missing(self: Nearest, clips: Any, labels: Any) -> Nearest:
        raise UserError("install it")

    monkeypatch.setattr(Nearest, "fit", missing)
    calls: list[Fold] = []
    with pytest.raises(UserError, match="install it"):
        utility(recorded(perform), perfect(perform, calls), tmp_path, settings("exercise"), {})
    assert not calls


def test_a_motion_of_nobody_is_refused(perform: Callable[..., Motion], tmp_path: Path) -> None:
    motions = recorded(perform)
    motions[3] = motions[3].but(meta={"subject": None})
    with pytest.raises(UserError, match="1 have none"):
        utility(motions, perfect(perform), tmp_path, settings("exercise"), {})


def test_the_table_shows_every_row_with_r2_and_spearman(perform: Callable[..., Motion], tmp_path: Path) -> None:
    motions = recorded(perform, "kimore")
    result = utility(motions, perfect(perform), tmp_path, settings("exercise", "score", scale="kimore"), {})
    text = utility_markdown(result)
    assert (tmp_path / "utility.md").read_text() == text
    assert json.loads((tmp_path / "utility.json").read_text()) == result
    assert "| row | trained on | RMSE | MAE | R² | Spearman | RMSE minus TRTR |" in text
    assert "### score (kimore)" in text
    for row in ("majority", "constant mean", "constant median", "TRTR", "TSTR", "TRTS", "TR+S 0.5", "mirror 1"):
        assert f"\n| {row} | " in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {7, 8}  # no cell is missing: 6 columns for classes, 7 for scores


# --- the diffusion model of a fold ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_model_is_trained_on_the_people_of_a_fold_and_performs_what_is_wanted(
    perform: Callable[..., Motion], tmp_path: Path
) -> None:
    training = recorded(perform, people=2, times=1)
    fold = Fold(3, ("s9",), 5)
    generate = train_in_fold("uiprmd", tmp_path, steps=2, size_name="smoke")(training, fold)
    assert (tmp_path / "model-03" / "checkpoints" / "last.safetensors").exists()
    wanted = wanted_like(training, 3, "uiprmd", np.random.default_rng(0))
    motions = generate(wanted)
    assert [m.meta["exercise"] for m in motions] == [w.exercise for w in wanted]
    assert [m.n_frames for m in motions] == [60] * 3  # 2 s at 30 fps
    again = train_in_fold("uiprmd", tmp_path, steps=2, size_name="smoke")(training, fold)(wanted)
    for a, b in zip(motions, again, strict=True):  # the finished training is taken up, not begun anew
        assert np.array_equal(a.positions, b.positions)


def test_the_corpus_itself_may_not_be_trained_on_beside_the_fold(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="other corpora beside"):
        train_in_fold("uiprmd", tmp_path, beside={"uiprmd": []})
