"""Exercises made to order: a movement, a side, a score or a grade in; a motion with known compensations out.

Origin: made by this module, no recording. Licence: that of the project. Worked sample: `simulate("deep_squat", "both",
np.random.default_rng(7), grade=2)` is one squat of a few seconds at 30 frames/s whose meta["compensations"] name the
strengths, with scores sim:0..100 and fms:2 (scoring.py says how).

Kinematics only, no forces: planted feet, hands and knees stay where they are, bones keep their length, the course in
time is smooth; nobody checks that muscles could do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from rehabmotion.data.simulator import arms, floor, lunges, squats, steps, trunk
from rehabmotion.data.simulator.body import Body, draw_body
from rehabmotion.data.simulator.compensations import APPLIES, compensate
from rehabmotion.data.simulator.phases import hesitant
from rehabmotion.data.simulator.pose import Pose
from rehabmotion.data.simulator.scene import Scene
from rehabmotion.data.simulator.scoring import check_strengths, draw_strengths, fms_grade, sim_score
from rehabmotion.data.simulator.solve import solve
from rehabmotion.errors import UserError
from rehabmotion.motion import EXERCISES, Motion, Score
from rehabmotion.motion.transforms import mirror

SLOWEST = 2.1  # times the usual duration, at full slowness, but at most
LONGEST_S = 6.0

# exercise: what makes it (done to the right), and its usual duration in seconds
RECIPES: dict[str, tuple[Callable[[Scene], Pose], tuple[float, float]]] = {
    "deep_squat": (squats.deep_squat, (1.9, 3.0)),
    "hurdle_step": (steps.hurdle_step, (2.7, 3.4)),
    "inline_lunge": (lunges.inline_lunge, (1.9, 3.0)),
    "side_lunge": (lunges.side_lunge, (1.9, 3.0)),
    "sit_to_stand": (squats.sit_to_stand, (2.2, 3.1)),
    "standing_active_straight_leg_raise": (steps.standing_active_straight_leg_raise, (1.8, 2.9)),
    "standing_shoulder_abduction": (arms.standing_shoulder_abduction, (1.8, 3.0)),
    "standing_shoulder_extension": (arms.standing_shoulder_extension, (1.6, 2.6)),
    "standing_shoulder_internal_external_rotation": (arms.standing_shoulder_internal_external_rotation, (1.5, 2.6)),
    "standing_shoulder_scaption": (arms.standing_shoulder_scaption, (1.6, 2.8)),
    "arm_lift": (arms.arm_lift, (1.9, 3.1)),
    "lateral_trunk_tilt": (trunk.lateral_trunk_tilt, (1.9, 3.1)),
    "trunk_rotation": (trunk.trunk_rotation, (1.8, 3.1)),
    "pelvis_rotation": (trunk.pelvis_rotation, (2.0, 3.1)),
    "squat": (squats.squat, (1.7, 2.9)),
    "deep_squat_board": (squats.deep_squat_board, (1.9, 3.0)),
    "shoulder_mobility": (arms.shoulder_mobility, (2.3, 3.2)),
    "active_straight_leg_raise": (floor.active_straight_leg_raise, (2.0, 3.1)),
    "trunk_stability_push_up": (floor.trunk_stability_push_up, (1.8, 2.9)),
    "rotary_stability_ipsilateral": (floor.rotary_stability_ipsilateral, (2.9, 3.6)),
    "rotary_stability_contralateral": (floor.rotary_stability_contralateral, (2.9, 3.6)),
}
SIMULATED = tuple(RECIPES)


def simulate(
    exercise: str,
    side: str,
    rng: np.random.Generator | int,
    *,
    score: float | None = None,
    grade: int | None = None,
    compensations: Mapping[str, float] | None = None,
    body: Body | None = None,
    fps: float = 30.0,
) -> Motion:
    """Return one repetition, from the starting posture back to it, on the canonical skeleton and frame.

    side: left, right, or both for exercises without one. The quality is asked for by a `score` (0..100), a `grade`
    (1..3), both, or by the strengths of `compensations` themselves (0..1, others 0); with none of them the score is
    uniform. The same generator state, or the same number in its place, gives the same bytes; without `body` a new
    person is drawn. Given strengths that lie between two grades, the motion carries no fms score.
    """
    _check(exercise, side, score, grade, compensations)
    seed = None if isinstance(rng, np.random.Generator) else _seed(rng)
    source = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(seed)
    # one stream for each purpose: the same seed is the same person in the same style at every strength
    bodies, styles, quality = (np.random.default_rng(s) for s in source.integers(1 << 62, size=3))
    names = APPLIES[exercise]
    if compensations is None:
        strengths = draw_strengths(names, quality, score, grade)
    else:
        strengths = check_strengths(compensations, names, exercise)
    body = body or draw_body(bodies)
    scene = _scene(exercise, body, strengths, styles, fps)
    pose = RECIPES[exercise][0](scene)
    compensate(pose, scene, exercise, EXERCISES[exercise].sided)
    motion = _motion(solve(pose, body), exercise, fps, strengths).but(meta={"subject": body.id, "seed": seed})
    return mirror(motion) if side == "left" else motion


def _check(exercise: str, side: str, score: float | None, grade: int | None, given: Mapping[str, float] | None) -> None:
    if exercise not in RECIPES:
        raise UserError(f'Expected an exercise that can be simulated, got "{exercise}". Known: {", ".join(SIMULATED)}.')
    sides = EXERCISES[exercise].sides
    if side not in sides:
        raise UserError(f'Expected side {" or ".join(sides)} for {exercise}, got "{side}".')
    if given is not None and (score is not None or grade is not None):
        raise UserError("Expected compensations, or a score and grade, got both. Leave one of them out.")


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UserError(f"Expected a seed of 0 or more, a whole number, got {seed!r}.")
    return int(seed)


def _scene(exercise: str, body: Body, strengths: dict[str, float], rng: np.random.Generator, fps: float) -> Scene:
    usual = rng.uniform(*RECIPES[exercise][1])
    if not (np.isfinite(fps) and 5 <= fps <= 1000):
        raise UserError(f"Expected fps of 5 to 1000, got {fps}. 30 is the usual rate.")
    slow = strengths.get("slowness", 0.0)
    duration = usual + slow * (min(SLOWEST * usual, LONGEST_S) - usual)
    n = round(duration * fps)
    u = hesitant(np.arange(n) / (n - 1), slow)
    return Scene(body, np.arange(n) / fps, u, strengths, rng)


def _motion(positions: np.ndarray, exercise: str, fps: float, strengths: dict[str, float]) -> Motion:
    start = positions[:10, 0].mean(axis=0)
    positions = positions - start * [1.0, 0.0, 1.0]
    grade = fms_grade(strengths)
    scores = [Score("sim", sim_score(strengths))]
    if grade is not None:
        scores.append(Score("fms", grade))
    sided = EXERCISES[exercise].sided
    meta = {
        "source": "simulator",
        "exercise": exercise,
        "side": "right" if sided else "both",
        "compensations": {name: round(value, 6) for name, value in strengths.items()},
    }
    return Motion(positions, fps, scores=tuple(scores), meta=meta)


def load(seed: int, n_per_exercise: int, n_bodies: int = 200, by: str = "grade", fps: float = 30.0) -> Iterator[Motion]:
    """Yield `n_per_exercise` motions of every exercise, one after the other over the exercises, done by `n_bodies`.

    Sides take turns; by="grade" so do grades 1, 2, 3; by="score" draws scores uniformly from 0..100 instead. Motion
    number i of an exercise does not depend on how many are asked for. meta["seed"] is `seed`, meta["repetition"] is i.
    """
    if by not in ("grade", "score"):
        raise UserError(f'Expected by="grade" or by="score", got "{by}".')
    if n_bodies < 1 or n_per_exercise < 0:
        raise UserError(f"Expected at least one body and no negative count, got {n_bodies} and {n_per_exercise}.")
    seed = _seed(seed)
    people = [draw_body(np.random.default_rng((seed, 0, k))) for k in range(n_bodies)]
    for i in range(n_per_exercise):
        for e, exercise in enumerate(SIMULATED):
            rng = np.random.default_rng((seed, 1, e, i))
            sides = EXERCISES[exercise].sides
            grade = 1 + (i // len(sides)) % 3 if by == "grade" else None
            body = people[int(rng.integers(n_bodies))]
            motion = simulate(exercise, sides[i % len(sides)], rng, grade=grade, body=body, fps=fps)
            yield motion.but(meta={"seed": seed, "repetition": i})
