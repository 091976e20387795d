"""Converts a motion file: read, canonical joints with constant bones, canonical frame, written in another format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rehabmotion.io import formats
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.motion import Motion
from rehabmotion.motion.retarget import bone_lengths, symmetric, with_bone_lengths
from rehabmotion.motion.transforms import canonicalise
from rehabmotion.viz.player import player_html
from rehabmotion.viz.video import write_mp4

SHOWN = (".mp4", ".html")
KEEPS_MASK = (".npz", ".csv", ".trc", *SHOWN)


def convert(
    source: Path, target: Path, source_format: str | None = None, say: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Return the files written. Several recordings in one source become target_0000, target_0001, ...

    A motion file of ours keeps its joints as they are; every other source is brought to the canonical skeleton with
    constant bone lengths, to the floor, facing +z.
    """
    check_target(target)
    motions = load(source, source_format)
    for motion in motions:
        missing = [n for n, seen in zip(motion.skeleton.joint_names, motion.valid.any(axis=0), strict=True) if not seen]
        if missing and target.suffix.lower() not in KEEPS_MASK:
            say(f"warning: {target.suffix} cannot mark missing joints; {', '.join(missing)} are placeholders in it.")
            break
    if len(motions) == 1:
        save(motions, target)
        return [target]
    targets = [target.with_name(f"{target.stem}_{i:04d}{target.suffix}") for i in range(len(motions))]
    for motion, path in zip(motions, targets, strict=True):
        save([motion], path)
    return targets


def load(source: Path, source_format: str | None = None) -> list[Motion]:
    """Return the motions of a file, ready to be written or shown."""
    chosen = formats.format_of(source, source_format)
    motions = formats.read_canonical(source, chosen.name)
    return motions if chosen.name == "npz" else [_settled(motion) for motion in motions]


def _settled(motion: Motion) -> Motion:
    lengths = symmetric(bone_lengths(motion.positions, motion.valid))
    return canonicalise(with_bone_lengths(motion, lengths))


def check_target(target: Path) -> None:
    """Raise UserError where the extension of an output is none that can be written."""
    if target.suffix.lower() not in (*formats.writable(), *SHOWN):
        known = " ".join((*formats.writable(), *SHOWN))
        raise UserError(f"Expected an output that ends in one of {known}, got {target.name}.")


def save(motions: Sequence[Motion], target: Path, labels: Sequence[str] | None = None) -> None:
    """Write one motion in a file format, or one or more to look at (.html, .mp4)."""
    suffix = target.suffix.lower()
    if suffix not in SHOWN:
        formats.write(motions[0], target)
        return
    panels = list(zip(labels or [label(motion) for motion in motions], motions, strict=True))
    if suffix == ".html":
        write_atomic(target, player_html(panels, title=label(motions[0])))
    else:
        write_mp4(panels, target)


def label(motion: Motion) -> str:
    """Return what is shown above a motion: its text or exercise, and its scores."""
    name = motion.text or str(motion.meta.get("exercise") or motion.meta.get("source") or "motion").replace("_", " ")
    return " · ".join([name, *(str(score) for score in motion.scores)])
