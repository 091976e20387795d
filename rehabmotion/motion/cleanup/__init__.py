"""Skeletal clean-up of a motion: joint limits, contact with the floor, feet that stay."""

from rehabmotion.motion.cleanup.clean import clean_up
from rehabmotion.motion.cleanup.config import CleanUpConfig, CleanUpReport

__all__ = ["CleanUpConfig", "CleanUpReport", "clean_up"]
