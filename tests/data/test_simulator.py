"""The simulator: what must hold of every motion it makes, and what its scores and grades mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehabmotion.data.simulator import APPLIES, SIMULATED, WEIGHTS, Body, draw_body, fms_grade, load, simulate
from rehabmotion.data.simulator.body import HEIGHTS_M
from rehabmotion.data.simulator.chain import slerp
from rehabmotion.data.simulator.phases import hesitant, rise
from rehabmotion.data.simulator.scoring import draw_strengths, sim_score
from rehabmotion.errors import UserError
from rehabmotion.motion import CANONICAL, EXERCISES, Motion
from rehabmotion.motion.exercises import FMS, KIMORE, UIPRMD
from rehabmotion.motion.transforms import canonicalise, mirror

PARENTS, CHILDREN = (list(ends) for ends in zip(*CANONICAL.bones, strict=True))
PLANTED = {  # joints that never move, with the exercise done to the right; both feet elsewhere
    "hurdle_step": ("left_foot", "left_ankle"),
    "standing_active_straight_leg_raise": ("left_foot", "left_ankle"),
    "active_straight_leg_raise": ("left_wrist", "right_wrist"),
    "trunk_stability_push_up": ("left_foot", "right_foot", "left_wrist", "right_wrist"),
    "rotary_stability_ipsilateral": ("left_knee", "left_foot", "left_wrist"),
    "rotary_stability_contralateral": ("right_knee", "right_foot", "left_wrist"),
}


def side_of(exercise: str) -> str:
    return "right" if EXERCISES[exercise].sided else "both"


@pytest.fixture(scope="module")
def corpus() -> list[Motion]:
    """Four motions of every exercise and grade or so, all strengths and sides among them."""
    return [*load(11, 6), *load(12, 8, by="score")]


def test_slerp_halfway_between_axes() -> None:
    middle = slerp(np.array([[1.0, 0, 0]]), np.array([[0, 1.0, 0]]), np.array([0.5]))
    np.testing.assert_allclose(middle, [[0.5**0.5, 0.5**0.5, 0]], atol=1e-12)


def test_minimum_jerk_step() -> None:
    """10/8 - 15/16 + 6/32 = 1/2 in the middle, peak speed 15/8, at rest outside."""
    u = np.linspace(0, 1, 2001)
    step = rise(u, 0.0, 1.0)
    assert step[1000] == pytest.approx(0.5)
    assert np.gradient(step, u).max() == pytest.approx(15 / 8, rel=1e-5)
    assert rise(np.array([-1.0, 2.0]), 0.0, 1.0).tolist() == [0.0, 1.0]


def test_hesitation_never_goes_back() -> None:
    u = hesitant(np.linspace(0, 1, 500), 1.0)
    assert (np.diff(u) > 0).all()
    assert u[[0, -1]].tolist() == pytest.approx([0.0, 1.0])


def test_exercises_cover_the_sets() -> None:
    wanted = {*UIPRMD, *KIMORE, *(exercise for exercise, _ in FMS)}
    assert set(SIMULATED) == wanted == set(APPLIES)


def test_bone_lengths_are_constant_and_symmetric(corpus: list[Motion]) -> None:
    for motion in corpus:
        x = motion.positions.astype(np.float64)
        lengths = np.linalg.norm(x[:, CHILDREN] - x[:, PARENTS], axis=-1)
        assert np.ptp(lengths, axis=0).max() < 1e-6
        bone = np.zeros(len(CANONICAL))
        bone[CHILDREN] = lengths[0]
        np.testing.assert_allclose(bone, bone[CANONICAL.mirror_order], atol=1e-6)


def test_nothing_below_the_floor_and_feet_on_it(corpus: list[Motion]) -> None:
    for motion in corpus:
        assert motion.positions[..., 1].min() >= -0.01, motion.meta
        if EXERCISES[motion.meta["exercise"]].posture == "standing":
            assert abs(motion.positions[:, CANONICAL.indices("left_foot", "right_foot"), 1].min()) < 1e-3


def test_planted_joints_stay(corpus: list[Motion]) -> None:
    """Under 0.3 mm per frame, at every strength of everything."""
    for motion in corpus:
        motion = mirror(motion) if motion.meta["side"] == "left" else motion
        for joint in PLANTED.get(motion.meta["exercise"], ("left_foot", "right_foot")):
            slide = np.linalg.norm(np.diff(motion.joint(joint).astype(np.float64), axis=0), axis=1)
            assert slide.max() < 3e-4, (motion.meta, joint)


def test_canonical_frame_and_return_to_the_start(corpus: list[Motion]) -> None:
    for motion in corpus:
        x = motion.positions
        assert np.linalg.norm(x[0] - x[-1], axis=-1).mean() < 0.06
        assert np.abs(x[:10, 0].mean(axis=0)[[0, 2]]).max() < 1e-5
        if EXERCISES[motion.meta["exercise"]].posture == "standing":
            assert np.abs(canonicalise(motion).positions - x).max() < 0.03
        assert 1.4 <= motion.seconds <= 6.05


def test_knees_and_elbows_bend_the_right_way(corpus: list[Motion]) -> None:
    """No knee ahead of its own hip-ankle line is behind it in a standing exercise: shins never bend forward."""
    for motion in corpus:
        if EXERCISES[motion.meta["exercise"]].posture != "standing":
            continue
        for side in ("left", "right"):
            hip, knee, ankle, foot = (motion.joint(f"{side}_{j}") for j in ("hip", "knee", "ankle", "foot"))
            line = (ankle - hip) / np.linalg.norm(ankle - hip, axis=-1, keepdims=True)
            bend = (knee - hip) - np.sum((knee - hip) * line, axis=-1, keepdims=True) * line
            toes = (foot - ankle) - np.sum((foot - ankle) * line, axis=-1, keepdims=True) * line
            flexed = np.linalg.norm(bend, axis=-1) > 0.06
            assert (np.sum(bend * toes, axis=-1)[flexed] > 0).all(), motion.meta


@pytest.mark.parametrize("exercise", SIMULATED)
def test_smooth_without_tremor(exercise: str) -> None:
    """No jerk beyond 2,500 m/s3: one frame out of place by 1 cm would show as about 800,000."""
    for seed in range(4):
        strengths = {} if seed < 2 else {name: 0.7 for name in APPLIES[exercise] if name != "tremor"}
        x = simulate(exercise, side_of(exercise), seed, compensations=strengths).positions.astype(np.float64)
        jerk = np.linalg.norm(np.diff(x, n=3, axis=0), axis=-1) * 30.0**3
        assert jerk.max() < 2500


def test_same_seed_same_bytes() -> None:
    for exercise in SIMULATED:
        a, b = (simulate(exercise, side_of(exercise), 5) for _ in range(2))
        c = simulate(exercise, side_of(exercise), np.random.default_rng(5))
        assert a.positions.tobytes() == b.positions.tobytes() == c.positions.tobytes()
        assert a.meta["seed"] == 5
        assert c.meta["seed"] is None
        assert a.scores == c.scores
    first, again = list(load(3, 2)), list(load(3, 3))
    assert all((p.positions == q.positions).all() for p, q in zip(first, again, strict=False))


def test_left_is_the_mirror_of_right() -> None:
    for exercise in SIMULATED:
        if EXERCISES[exercise].sided:
            left, right = simulate(exercise, "left", 9), simulate(exercise, "right", 9)
            np.testing.assert_array_equal(left.positions, mirror(right).positions)
            assert (left.meta["side"], right.meta["side"]) == ("left", "right")


@pytest.mark.parametrize("grade", [1, 2, 3])
@pytest.mark.parametrize("exercise", SIMULATED)
def test_every_exercise_and_grade(exercise: str, grade: int) -> None:
    motion = simulate(exercise, EXERCISES[exercise].sides[0], 10 * grade, grade=grade)
    assert np.isfinite(motion.positions).all()
    assert [score.scale for score in motion.scores] == ["sim", "fms"]
    assert motion.scores[1].value == grade == fms_grade(motion.meta["compensations"])
    assert motion.scores[0].value == pytest.approx(sim_score(motion.meta["compensations"]), abs=1e-3)


def test_grade_rules() -> None:
    none = dict.fromkeys(WEIGHTS, 0.0)
    assert fms_grade(none) == 3
    assert fms_grade({**none, "tremor": 0.15}) == 3
    assert fms_grade({**none, "tremor": 0.2}) is None
    assert fms_grade({**none, "tremor": 0.3}) == 2
    assert fms_grade({**none, "reduced_range": 0.4}) == 2
    assert fms_grade({**none, "reduced_range": 0.5}) is None
    assert fms_grade({**none, "reduced_range": 0.6}) == 1
    assert fms_grade({**none, "loss_of_balance": 0.75}) == 1
    assert fms_grade({**none, "knee_valgus": 1.0, "trunk_lean": 1.0}) == 2


def test_score_closed_form() -> None:
    """The worked sample of scoring.py: 100 * (1 - 0.5 * 0.20 / 1.30)."""
    strengths = {**dict.fromkeys(WEIGHTS, 0.0), "knee_valgus": 0.5}
    assert sim_score(strengths) == pytest.approx(92.3077, abs=1e-4)
    assert sim_score(dict.fromkeys(WEIGHTS, 1.0)) == 0.0
    assert sim_score(dict.fromkeys(WEIGHTS, 0.0)) == 100.0


@given(st.sampled_from(SIMULATED), st.integers(0, 10**6), st.data())
@settings(max_examples=60, deadline=None)
def test_score_falls_with_every_strength(exercise: str, seed: int, data: st.DataObject) -> None:
    names = APPLIES[exercise]
    strengths = dict(zip(names, np.random.default_rng(seed).uniform(0, 0.9, len(names)).tolist(), strict=True))
    name = data.draw(st.sampled_from(names))
    assert sim_score({**strengths, name: strengths[name] + 0.1}) < sim_score(strengths)


@given(st.sampled_from(SIMULATED), st.floats(0, 100), st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_wanted_score_is_met(exercise: str, score: float, seed: int) -> None:
    strengths = draw_strengths(APPLIES[exercise], np.random.default_rng(seed), score=score)
    assert sim_score(strengths) == pytest.approx(score, abs=1e-6)
    assert all(0 <= value <= 1 for value in strengths.values())
    assert fms_grade(strengths) in (1, 2, 3)


def test_scores_are_uniform() -> None:
    rng = np.random.default_rng(0)
    scores = [sim_score(draw_strengths(APPLIES["squat"], rng)) for _ in range(2000)]
    counts = np.histogram(scores, bins=10, range=(0, 100))[0]
    assert counts.min() > 150
    assert counts.max() < 250


def test_load_is_balanced(corpus: list[Motion]) -> None:
    first = corpus[: 6 * len(SIMULATED)]
    for exercise in SIMULATED:
        mine = [m for m in first if m.meta["exercise"] == exercise]
        assert sorted(m.scores[1].value for m in mine) == [1, 1, 2, 2, 3, 3]
        if EXERCISES[exercise].sided:
            assert sorted(m.meta["side"] for m in mine) == ["left"] * 3 + ["right"] * 3


@given(st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_bodies_are_plausible(seed: int) -> None:
    body = draw_body(np.random.default_rng(seed))
    assert HEIGHTS_M[0] <= body.height <= HEIGHTS_M[1]
    assert 0.44 < (body.thigh + body.shank) / body.height < 0.53
    assert body.thigh + body.shank + body.ankle_height < 0.60 * body.height


def _together(exercise: str, name: str, seed: int, body: Body) -> tuple[Motion, Motion]:
    """Return the same person's same repetition without and with one compensation at full strength."""
    side = side_of(exercise)
    return (
        simulate(exercise, side, seed, compensations={}, body=body),
        simulate(exercise, side, seed, compensations={name: 1.0}, body=body),
    )


def _shaking(motion: Motion) -> float:
    return float(np.diff(motion.positions.astype(np.float64), n=3, axis=0).std())


@pytest.mark.parametrize("exercise", SIMULATED)
def test_every_compensation_changes_the_motion(exercise: str) -> None:
    body = draw_body(np.random.default_rng(1))
    for name in APPLIES[exercise]:
        plain, changed = _together(exercise, name, 21, body)
        if name == "slowness":
            assert changed.seconds > 1.6 * plain.seconds
        elif name == "tremor":
            assert _shaking(changed) > 1.2 * _shaking(plain)
        else:
            assert changed.n_frames == plain.n_frames
            apart = np.linalg.norm(changed.positions - plain.positions, axis=-1)
            assert apart.max() > 0.05, name


@pytest.mark.parametrize("exercise", ["deep_squat", "deep_squat_board", "squat", "sit_to_stand"])
def test_valgus_narrows_the_knees_but_does_not_cross_them(exercise: str) -> None:
    for seed in range(5):
        plain, changed = _together(exercise, "knee_valgus", seed, draw_body(np.random.default_rng(seed)))
        bottom = plain.joint("pelvis")[:, 1].argmin()
        gap = [(m.joint("left_knee") - m.joint("right_knee"))[bottom, 0] for m in (plain, changed)]
        assert gap[1] < gap[0] - 0.15
        assert gap[1] > -0.02


@pytest.mark.parametrize("exercise", SIMULATED)
def test_reduced_range_is_graded(exercise: str) -> None:
    """More of it, less movement: the farthest that any joint gets from its start falls step by step."""
    body = draw_body(np.random.default_rng(2))
    far = []
    for strength in (0.0, 0.35, 0.7, 1.0):
        x = simulate(exercise, side_of(exercise), 4, compensations={"reduced_range": strength}, body=body).positions
        far.append(np.linalg.norm(x - x[0], axis=-1).max(axis=0).mean())
    assert (np.diff(far) < 0).all()


def test_deep_squat_is_deep_and_board_lifts_the_heels() -> None:
    floor = simulate("deep_squat", "both", 3, compensations={})
    board = simulate("deep_squat_board", "both", 3, compensations={})
    hips, knees = floor.joint("left_hip")[:, 1], floor.joint("left_knee")[:, 1]
    assert (hips - knees).min() < 0.02  # thighs about level or below
    assert board.joint("left_ankle")[:, 1].min() > floor.joint("left_ankle")[:, 1].max() + 0.03


def test_elbow_meets_knee_in_rotary_stability() -> None:
    """Joint centres within 13 cm: elbow and knee touch."""
    for exercise, knee in (
        ("rotary_stability_ipsilateral", "right_knee"),
        ("rotary_stability_contralateral", "left_knee"),
    ):
        motion = simulate(exercise, "right", 6, compensations={})
        assert np.linalg.norm(motion.joint("right_elbow") - motion.joint(knee), axis=1).min() < 0.13


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"exercise": "jump"}, "exercise that can be simulated"),
        ({"side": "left"}, "side both"),
        ({"score": 101}, "score of 0 to 100"),
        ({"score": float("nan")}, "score of 0 to 100"),
        ({"grade": 0}, "grade 1, 2 or 3"),
        ({"grade": 3, "score": 20}, "goes with grade 3"),
        ({"grade": 1, "score": 99}, "goes with grade 1"),
        ({"compensations": {"limp": 0.5}}, "compensation of squat"),
        ({"compensations": {"tremor": 1.5}}, "strength of 0 to 1"),
        ({"compensations": {"tremor": float("nan")}}, "strength of 0 to 1"),
        ({"compensations": {}, "grade": 2}, "got both"),
        ({"fps": 0}, "fps of 5 to 1000"),
        ({"rng": -1}, "seed of 0 or more"),
    ],
)
def test_wrong_requests(arguments: dict, words: str) -> None:
    exercise, side, rng = arguments.pop("exercise", "squat"), arguments.pop("side", "both"), arguments.pop("rng", 1)
    with pytest.raises(UserError, match=words) as raised:
        simulate(exercise, side, rng, **arguments)
    assert "\n" not in str(raised.value)


def test_strengths_between_grades_carry_no_grade() -> None:
    motion = simulate("squat", "both", 1, compensations={"knee_valgus": 0.2})
    assert [score.scale for score in motion.scores] == ["sim"]


def test_other_rates_are_the_same_motion() -> None:
    slow, fast = (simulate("deep_squat", "both", 2, compensations={}, fps=fps) for fps in (30.0, 120.0))
    assert abs(slow.seconds - fast.seconds) < 0.05
    assert np.abs(slow.positions[0] - fast.positions[0]).max() < 0.02
