"""The metrics by name: what each says, which way is better, in what unit, and what its real value is made of."""

from __future__ import annotations

from dataclasses import dataclass

from rehabmotion.workflows.evaluation import clips, distributions
from rehabmotion.workflows.evaluation.found import Metric


@dataclass(frozen=True)
class Row:
    """One metric. direction: lower, higher or real (closer to the real value is better).

    baseline: which real clips stand in for generated ones in the real value. `learn` clips of the generator's training
    people; `test` for judges, which have seen the former; `held_out` for copies.
    """

    metric: Metric
    direction: str
    unit: str
    title: str
    baseline: str = "learn"


METRICS: dict[str, Row] = {
    "fid": Row(distributions.fid, "lower", "", "Fréchet distance of features"),
    "kid": Row(distributions.kernel_distance, "lower", "", "Kernel distance of features"),
    "precision": Row(distributions.prdc("precision"), "higher", "", "Generated clips near real ones"),
    "recall": Row(distributions.prdc("recall"), "higher", "", "Real clips near generated ones"),
    "density": Row(distributions.prdc("density"), "higher", "", "Real neighbourhoods around generated clips"),
    "coverage": Row(distributions.prdc("coverage"), "higher", "", "Real neighbourhoods reached"),
    "diversity": Row(distributions.spread, "real", "", "Distance of sampled pairs"),
    "multimodality": Row(distributions.multimodality, "real", "", "Distance of motions asked for alike"),
    "r_precision_1": Row(distributions.r_precision(1), "higher", "", "Words find their motion, first of 32"),
    "r_precision_2": Row(distributions.r_precision(2), "higher", "", "... among the first two"),
    "r_precision_3": Row(distributions.r_precision(3), "higher", "", "... among the first three"),
    "mm_dist": Row(distributions.mm_dist, "lower", "", "Distance of words and motion"),
    "apd": Row(distributions.apd, "real", "", "Distance of all pairs"),
    "acpd": Row(distributions.acpd, "real", "", "... inside each exercise"),
    "mms": Row(distributions.mms, "real", "", "Distance to the nearest real clip"),
    "wpd": Row(distributions.warping_diversity(False), "real", "frames", "Warping in time of pairs"),
    "wpd_per_frame": Row(distributions.warping_diversity(True), "real", "", "... over the length"),
    "foot_slide": Row(clips.per_clip("foot_slide"), "real", "mm/frame", "Slide of feet in contact"),
    "foot_skate": Row(clips.per_clip("foot_skate"), "real", "ratio", "Feet that skate near the floor"),
    "penetration": Row(clips.per_clip("penetration"), "real", "mm", "Depth of feet below the floor"),
    "jerk": Row(clips.per_clip("jerk"), "real", "m/s^3", "Third derivative, root mean square"),
    "bone_error": Row(clips.bone_error, "lower", "mm", "Bones that change their length"),
    "rom_error": Row(clips.rom_error, "lower", "degrees", "Difference of ranges of motion"),
    "symmetry_error": Row(clips.symmetry_error, "lower", "ratio", "Difference of left-right symmetry"),
    "score_mae": Row(clips.score_mae, "lower", "points", "Score asked for against score read", "test"),
    "score_spearman": Row(clips.score_spearman, "higher", "", "... rank correlation", "test"),
    "memorisation": Row(clips.memorisation, "real", "ratio", "Nearness to training clips", "held_out"),
    "exercise_accuracy": Row(clips.exercise_accuracy, "higher", "", "Exercise named by a judge", "test"),
}
