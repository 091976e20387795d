"""Converts a motion file: read, canonical joints with constant bones, canonical frame, written in another format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.io import formats
from rehabmotion.motion import Motion
from rehabmotion.motion.retarget import bone_lengths, keep_feet, symmetric, with_bone_lengths
from rehabmotion.motion.transforms import canonicalise
from rehabmotion.viz.glb import write_glb
from rehabmotion.viz.obj import write_obj
from rehabmotion.viz.player import player_html
from rehabmotion.viz.video import write_mp4
from rehabmotion.workflows.outputs import staged

SHOWN = (".mp4", ".html")  # several motions side by side
BODIES = {".glb": write_glb, ".obj": write_obj}
SHOWS_PLACEHOLDERS = (".bvh", *BODIES)  # they have no mask; .npy has none either and refuses missing joints
SMPL = ".smpl.npz"


def convert(
    source: Path, target: Path, source_format: str | None = None, say: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Return the files written. Several recordings in one source become target_0000, target_0001, ...

    A motion file of ours keeps its joints and its place; every other source is brought to the canonical skeleton with
    constant bone lengths, to the floor, facing +z. A target in .obj is a folder of that name without the ending. All
    files appear, or none.
    """
    check_target(target)
    motions = load(source, source_format)
    if target.suffix.lower() in SHOWS_PLACEHOLDERS:
        warn_of_placeholders(motions, target.suffix, say)
    targets = numbered(target, len(motions))
    with staged(target.parent) as stage, naming(source):
        for motion, path in zip(motions, targets, strict=True):
            save([motion], stage / path.name)
    return [made(path) for path in targets]


def numbered(target: Path, count: int) -> list[Path]:
    """Return the target, or for several recordings target_0000, target_0001, ..."""
    if count == 1:
        return [target]
    ending = SMPL if target.name.lower().endswith(SMPL) else target.suffix
    stem = target.name[: len(target.name) - len(ending)]
    return [target.with_name(f"{stem}_{i:04d}{ending}") for i in range(count)]


def made(target: Path) -> Path:
    """Return what `save` makes for a target: the file, or the folder of meshes."""
    return target.with_suffix("") if target.suffix.lower() == ".obj" else target


def load(source: Path, source_format: str | None = None) -> list[Motion]:
    """Return the motions of a file, ready to be written or shown."""
    chosen = formats.format_of(source, source_format)
    motions = chosen.read(source)
    if chosen.name == "npz":
        return motions
    with naming(source):
        return [_settled(chosen.to_canonical(motion)) for motion in motions]


def _settled(motion: Motion) -> Motion:
    """Constant bones, left and right alike; the feet where they were measured; the canonical frame."""
    sized = with_bone_lengths(motion, symmetric(bone_lengths(motion.positions, motion.valid)))
    ankles = motion.skeleton.indices("left_ankle", "right_ankle")
    if motion.valid[:, ankles].all():  # in a squat another shin would lift the person by centimetres
        sized = keep_feet(sized, motion.positions)
    return canonicalise(sized)


@contextmanager
def naming(source: Path) -> Iterator[None]:
    """Let a UserError inside say which file it is about."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error) if str(source) in str(error) else f"{source}: {error}") from None


def warn_of_placeholders(motions: Sequence[Motion], suffix: str, say: Callable[[str], None]) -> None:
    """Say which joints the format will show as if they had been measured."""
    names = {
        name: motion.valid[:, j].any()
        for motion in motions
        for j, name in enumerate(motion.skeleton.joint_names)
        if not motion.valid[:, j].all()
    }
    if names:
        spelled = ", ".join(f"{name} (at times)" if at_times else name for name, at_times in names.items())
        say(f"warning: {suffix} cannot mark missing joints; placeholders stand in it for {spelled}.")


def check_target(target: Path) -> None:
    """Raise UserError where an output cannot be written: by its extension, or for want of an extra."""
    known = (*formats.writable(), *SHOWN, *BODIES)
    if target.suffix.lower() not in known:
        raise UserError(f"Expected an output that ends in one of {' '.join(known)}, got {target}.")
    if target.name.lower().endswith(SMPL):
        raise UserError(f"Expected a body model for {target}, got none. Pass --smpl MODEL, a file or a folder.")
    if target.suffix.lower() == ".mp4":
        need_video()


def need_video() -> None:
    """Raise UserError where PyAV is not installed."""
    if find_spec("av") is None:
        raise UserError('Writing .mp4 needs PyAV. Install it with: pip install "rehabmotion[video]"')


def save(motions: Sequence[Motion], target: Path, labels: Sequence[str] | None = None) -> None:
    """Write one motion in a file format or as a body (.glb, .obj), or one or more to look at (.html, .mp4)."""
    suffix = target.suffix.lower()
    if suffix in BODIES:
        BODIES[suffix](motions[0], made(target))
        return
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
