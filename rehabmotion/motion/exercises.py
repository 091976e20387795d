"""The exercises, by word: every data set numbers its own differently, so numbers never leave the readers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Exercise:
    """One movement. `sided`: done with a left or right side; `posture`: standing, lying, floor (on hands and feet)."""

    id: str
    title: str
    sided: bool = False
    posture: str = "standing"

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides it can be asked for: left and right, or both at once."""
        if self.id == "upper_limb_extension":
            return ("left", "right", "both")
        return ("left", "right") if self.sided else ("both",)


UIPRMD = (
    "deep_squat",
    "hurdle_step",
    "inline_lunge",
    "side_lunge",
    "sit_to_stand",
    "standing_active_straight_leg_raise",
    "standing_shoulder_abduction",
    "standing_shoulder_extension",
    "standing_shoulder_internal_external_rotation",
    "standing_shoulder_scaption",
)
KIMORE = ("arm_lift", "lateral_trunk_tilt", "trunk_rotation", "pelvis_rotation", "squat")
MARS = (
    ("upper_limb_extension", "left"),
    ("upper_limb_extension", "right"),
    ("upper_limb_extension", "both"),
    ("front_lunge", "left"),
    ("front_lunge", "right"),
    ("squat", "both"),
    ("side_lunge", "left"),
    ("side_lunge", "right"),
    ("limb_extension", "left"),
    ("limb_extension", "right"),
)
FMS = (  # m01 to m15 of Xing et al. 2022, with the side
    ("deep_squat", "both"),
    ("deep_squat_board", "both"),
    ("hurdle_step", "left"),
    ("hurdle_step", "right"),
    ("inline_lunge", "left"),
    ("inline_lunge", "right"),
    ("shoulder_mobility", "left"),
    ("shoulder_mobility", "right"),
    ("active_straight_leg_raise", "left"),
    ("active_straight_leg_raise", "right"),
    ("trunk_stability_push_up", "both"),
    ("rotary_stability_ipsilateral", "left"),
    ("rotary_stability_ipsilateral", "right"),
    ("rotary_stability_contralateral", "left"),
    ("rotary_stability_contralateral", "right"),
)

EXERCISES = {
    exercise.id: exercise
    for exercise in (
        Exercise("deep_squat", "deep squat"),
        Exercise("hurdle_step", "hurdle step", sided=True),
        Exercise("inline_lunge", "in-line lunge", sided=True),
        Exercise("side_lunge", "side lunge", sided=True),
        Exercise("sit_to_stand", "sit to stand"),
        Exercise("standing_active_straight_leg_raise", "standing active straight leg raise", sided=True),
        Exercise("standing_shoulder_abduction", "standing shoulder abduction", sided=True),
        Exercise("standing_shoulder_extension", "standing shoulder extension", sided=True),
        Exercise(
            "standing_shoulder_internal_external_rotation", "standing shoulder internal-external rotation", sided=True
        ),
        Exercise("standing_shoulder_scaption", "standing shoulder scaption", sided=True),
        Exercise("arm_lift", "lifting of the arms"),
        Exercise("lateral_trunk_tilt", "lateral tilt of the trunk", sided=True),
        Exercise("trunk_rotation", "trunk rotation", sided=True),
        Exercise("pelvis_rotation", "pelvis rotations"),
        Exercise("squat", "squat"),
        Exercise("upper_limb_extension", "upper limb extension", sided=True),
        Exercise("front_lunge", "front lunge", sided=True),
        Exercise("limb_extension", "limb extension", sided=True),
        Exercise("deep_squat_board", "deep squat with the heels on a board"),
        Exercise("shoulder_mobility", "shoulder mobility", sided=True),
        Exercise("active_straight_leg_raise", "active straight leg raise (lying)", sided=True, posture="lying"),
        Exercise("trunk_stability_push_up", "trunk stability push-up", posture="floor"),
        Exercise("rotary_stability_ipsilateral", "rotary stability, same side", sided=True, posture="floor"),
        Exercise("rotary_stability_contralateral", "rotary stability, opposite sides", sided=True, posture="floor"),
    )
}
