"""A plan in, one motion out: every repetition made as a motion of its own by one body, then put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rehabmotion import __version__
from rehabmotion.errors import UserError
from rehabmotion.models.generator import Generator
from rehabmotion.models.store import Provenance
from rehabmotion.motion import EXERCISES, Motion
from rehabmotion.motion.blending.clip import Clip, grounded
from rehabmotion.motion.blending.parts import BODIES, PARTS
from rehabmotion.motion.blending.poses import Array, take_apart
from rehabmotion.motion.blending.quiet import Quiet, standing_pose
from rehabmotion.motion.blending.sequence import Source, Stretch, compose, joined, laid_over, settled, switches
from rehabmotion.motion.retarget import bone_lengths, keep_feet, symmetric, with_bone_lengths
from rehabmotion.motion.transforms import canonicalise
from rehabmotion.workflows.generate import FPS, MAX_SAMPLES, check_request, doubts, generate_each
from rehabmotion.workflows.timeline.plan import Plan
from rehabmotion.workflows.timeline.repetitions import Repetition, asks, count_of, posture_of, repetitions

SHORTEST_QUIET = 1.0  # seconds; in a briefer gap the neighbours meet
_QUIET_SEED = 0x71E7  # sets the sway apart from what else is drawn from a seed


@dataclass(frozen=True)
class Timeline:
    """Motions of a plan, what was understood of each track, and warnings."""

    motions: list[Motion]
    understood: list[dict[str, Any]]
    warnings: list[str] = field(default_factory=list)


def generate_plan(
    model: Generator,
    provenance: Provenance,
    plan: Plan,
    samples: int = 1,
    seed: int = 0,
    guidance: float | None = None,
    steps: int | None = None,
) -> Timeline:
    """Return `samples` motions of the whole plan, 30 fps, canonical frame, constant bones.

    A sample is one person: body, manner and the side that words leave open are drawn once. The same seed gives the
    same motions; the first of many is the only one of one. Words and scores that the model cannot take raise
    UserError naming the track, as do exercises of different postures.
    """
    if not 1 <= samples <= MAX_SAMPLES:
        raise UserError(f"Expected 1 to {MAX_SAMPLES} samples, got {samples}.")
    for number, track in enumerate(plan.tracks, start=1):
        with_track(number, lambda track=track: check_request(track.text, track.score, None, 1, seed, model))
    understood = model.text.understand([track.text for track in plan.tracks])
    posture = posture_of(understood)
    counts = [count_of(t, one["exercise"], provenance) for t, one in zip(plan.tracks, understood, strict=True)]
    reps = repetitions(plan, counts)
    motions = []
    for sample in range(samples):
        asked = asks(plan, reps, sample)
        known = [understood[rep.track] for rep in reps]
        made = list(generate_each(model, provenance, asked, seed, guidance, steps, known, first=sample * len(reps)))
        rng = np.random.default_rng([seed, sample, _QUIET_SEED])
        positions = composed(plan, reps, made, posture == "standing", rng)
        meta = _meta(plan, reps, made, understood, provenance, seed, sample)
        motions.append(_finished(positions, plan, meta))
    return Timeline(motions, understood, _warnings(plan, counts, understood))


def with_track(number: int, call: Any) -> None:
    """Call something; let a UserError in it say which track it is about."""
    try:
        call()
    except UserError as error:
        raise UserError(f"track {number}: {error}") from None


def composed(
    plan: Plan, reps: Sequence[Repetition], made: Sequence[Motion], standing: bool, rng: np.random.Generator
) -> Array:
    """Return positions (T, 22, 3), metres, of one body that does all repetitions.

    Its bones are the means over `made`, one motion for each of `reps`; `rng` moves it where it stands quietly.
    """
    lengths = np.mean([symmetric(bone_lengths(m.positions, m.valid)) for m in made], axis=0)
    bodies = [_of_one_body(motion, lengths, standing) for motion in made]
    sources: list[Source] = [Clip(x, FPS, rep.start, rep.end) for x, rep in zip(bodies, reps, strict=True)]
    rows = _rows(plan, reps, sources, lengths, standing, rng)
    windows = switches(rows, sources, lengths)
    times = np.arange(max(2, round(plan.seconds * FPS))) / FPS
    return compose(rows, windows, settled(rows, windows, sources), times, lengths)


def _of_one_body(motion: Motion, lengths: Array, standing: bool) -> Array:
    """Return the positions with the bones of the plan's body, the feet where they were, on the floor."""
    sized = keep_feet(with_bone_lengths(motion, lengths), motion.positions)
    positions = sized.positions.astype(np.float64)
    return grounded(positions, motion.fps) if standing else positions


def _rows(
    plan: Plan,
    reps: Sequence[Repetition],
    sources: list[Source],
    lengths: Array,
    standing: bool,
    rng: np.random.Generator,
) -> dict[str, list[Stretch]]:
    """Return who moves each part when; somebody standing quietly fills gaps and is added to `sources`."""
    bodies = [plan.tracks[rep.track].body for rep in reps]
    stretches = [
        (body, Stretch(i, rep.start, rep.end, rank=1 if body == "all" else 2))
        for i, (body, rep) in enumerate(zip(bodies, reps, strict=True))
    ]
    whole = sorted((s for body, s in stretches if body == "all"), key=lambda s: s.start)
    gaps = zip([0.0, *(s.end for s in whole)], [*(s.start for s in whole), plan.seconds], strict=True)
    base = list(whole)
    for start, end in gaps:
        if end - start >= SHORTEST_QUIET or not whole:
            base.append(Stretch(len(sources), start, end))
            sources.append(_quiet(sources, start, end, lengths, standing, rng))
    base = joined(sorted(base, key=lambda s: s.start), 0.0, plan.seconds)
    return {
        part: laid_over(base, [s for body, s in stretches if body != "all" and part in BODIES[body]]) for part in PARTS
    }


def _quiet(
    sources: Sequence[Source], start: float, end: float, lengths: Array, standing: bool, rng: np.random.Generator
) -> Quiet:
    """Return somebody who stands quietly as the person of the clips stands; one on the floor keeps the nearest pose."""
    clips = [source for source in sources if isinstance(source, Clip)]
    if standing:
        own = take_apart(np.stack([x for clip in clips for x in (clip.positions[0], clip.positions[-1])]))
        return Quiet.draw(standing_pose(own, lengths), start, end, rng)
    nearest = min(clips, key=lambda clip: abs(clip.start - end))
    return Quiet.draw(take_apart(nearest.positions[:1]), start, end, rng, upright=False)


def _finished(positions: Array, plan: Plan, meta: dict[str, Any]) -> Motion:
    """Return the motion in the canonical frame; the floor of exercises that lie is that of all joints."""
    scores = {track.score for track in plan.tracks}
    shared = tuple(score for score in scores if score is not None) if len(scores) == 1 else ()
    text = "; ".join(track.text for track in plan.tracks)
    motion = Motion(positions.astype(np.float32), FPS, text=text, scores=shared, meta=meta)
    first = meta["tracks"][0]["exercise"]
    return canonicalise(motion.but(meta={"exercise": first})).but(meta={"exercise": meta["exercise"]})


def _meta(
    plan: Plan,
    reps: Sequence[Repetition],
    made: Sequence[Motion],
    understood: Sequence[dict[str, Any]],
    provenance: Provenance,
    seed: int,
    sample: int,
) -> dict[str, Any]:
    tracks = []
    for number, (track, one) in enumerate(zip(plan.tracks, understood, strict=True)):
        mine = [(rep, motion) for rep, motion in zip(reps, made, strict=True) if rep.track == number]
        tracks.append(
            {
                "text": track.text,
                "start": track.start,
                "end": track.end,
                "body": track.body,
                "repeat": len(mine),
                "score": str(track.score) if track.score else None,
                "exercise": one["exercise"],
                "side": mine[0][1].meta["side"],
                "repetitions": [[round(rep.start, 4), round(rep.end, 4)] for rep, _ in mine],
            }
        )
    same = {(track["exercise"], track["side"]) for track in tracks}
    exercise, side = same.pop() if len(same) == 1 else (None, None)
    return {
        "source": "generated",
        "exercise": exercise,
        "side": side,
        "model": provenance.name,
        "seed": seed,
        "sample": sample,
        "version": __version__,
        "seconds": plan.seconds,
        "tracks": tracks,
    }


def _warnings(plan: Plan, counts: Sequence[int], understood: Sequence[dict[str, Any]]) -> list[str]:
    found = []
    for number, (track, count, one) in enumerate(zip(plan.tracks, counts, understood, strict=True), start=1):
        found += [f"track {number}: {text}" for text in doubts(one)]
        if track.repeat is None and count > 1:
            title = EXERCISES[one["exercise"]].title
            found.append(f"track {number}: {track.seconds:g} s are filled with {count} repetitions of {title}.")
    return found
