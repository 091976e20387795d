"""The nouns: Motion, Skeleton, Score, Exercise, and what is done to a motion."""

from rehabmotion.motion.exercises import EXERCISES, Exercise
from rehabmotion.motion.motion import Motion
from rehabmotion.motion.score import SCALES, Score, ScoreScale
from rehabmotion.motion.skeleton import CANONICAL, FEET, Skeleton

__all__ = ["CANONICAL", "EXERCISES", "FEET", "SCALES", "Exercise", "Motion", "Score", "ScoreScale", "Skeleton"]
