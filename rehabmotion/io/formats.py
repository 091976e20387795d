"""The formats by name. A new one is one file in this room and one entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.io import (
    amc,
    bandai,
    bvh,
    bvh_names,
    c3d,
    fms,
    humanml3d,
    kimore,
    mars,
    npz,
    table,
    trc,
    uiprmd,
    uiprmd_vicon,
)
from rehabmotion.io.uiprmd_joint_centres import vicon_joint_centres
from rehabmotion.motion import CANONICAL, Motion
from rehabmotion.motion.retarget import JointMap, map_joints


@dataclass(frozen=True)
class Format:
    """A file format: how it is read (one motion per recording), written, and brought to the canonical joints.

    `extensions` choose it by name; a format without any has to be named (--from).
    """

    name: str
    read: Callable[[Path], list[Motion]]
    to_canonical: Callable[[Motion], Motion]
    extensions: tuple[str, ...] = ()
    write: Callable[[Motion, Path], None] | None = None


def _by(joint_map: JointMap) -> Callable[[Motion], Motion]:
    return lambda motion: map_joints(motion, joint_map)


def _by_names(motion: Motion) -> Motion:
    """Return a motion on the canonical joints by what its joints are called; unknown names raise UserError."""
    if motion.skeleton.joint_names == CANONICAL.joint_names:
        return motion.but(skeleton=CANONICAL)
    return map_joints(motion, bvh_names.bvh_joint_map(motion.skeleton.joint_names))


FORMATS = {
    f.name: f
    for f in (
        Format("npz", lambda path: [npz.read_npz(path)], _by_names, (".npz",), npz.write_npz),
        Format("bvh", bvh.read_bvh, _by_names, (".bvh",), bvh.write_bvh),
        Format("amc", amc.read_amc, _by(amc.AMC_MAP), (".amc",)),
        Format("csv", table.read_csv, _by_names, (".csv",), table.write_csv),
        Format("trc", trc.read_trc, _by_names, (".trc",), trc.write_trc),
        Format("c3d", c3d.read_c3d, _by_names, (".c3d",), c3d.write_c3d),
        Format("humanml3d", humanml3d.read_humanml3d, _by_names, (".npy",), humanml3d.write_humanml3d),
        Format("uiprmd-kinect", uiprmd.read_uiprmd_kinect, _by(uiprmd.UIPRMD_KINECT_MAP)),
        Format("uiprmd-vicon", uiprmd_vicon.read_uiprmd_vicon, vicon_joint_centres),
        Format("kimore", kimore.read_kimore, kimore.to_canonical),
        Format("mars", mars.read_mars, _by(mars.MARS_MAP)),
        Format("fms", fms.read_fms, _by(fms.FMS_MAP)),
        Format("bandai", bandai.read_bandai, _by(bandai.BANDAI_MAP)),
    )
}


def format_of(path: Path, name: str | None = None) -> Format:
    """Return the format named, else that of the file's extension (.gz ignored); neither raises UserError."""
    if name is not None:
        if name not in FORMATS:
            raise UserError(f'Expected a format, got "{name}". Known: {", ".join(FORMATS)}.')
        return FORMATS[name]
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    last = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes[-1] if suffixes else "")
    for candidate in FORMATS.values():
        if last in candidate.extensions:
            return candidate
    raise UserError(f"The extension of {path} does not tell its format. Name it: --from {' | '.join(FORMATS)}.")


def read(path: Path, name: str | None = None) -> list[Motion]:
    """Return the motions of a file on its own skeleton, y up, metres: one per recording."""
    return format_of(path, name).read(Path(path))


def read_canonical(path: Path, name: str | None = None) -> list[Motion]:
    """Return the motions of a file on the canonical 22 joints; what the source lacks is masked."""
    chosen = format_of(path, name)
    return [chosen.to_canonical(motion) for motion in chosen.read(Path(path))]


def write(motion: Motion, path: Path) -> None:
    """Write a motion in the format of the path's extension."""
    chosen = format_of(path)
    if chosen.write is None:
        raise UserError(f"{chosen.name} can be read, not written. Written are: {', '.join(writable())}.")
    chosen.write(motion, Path(path))


def writable() -> tuple[str, ...]:
    """Return the extensions that can be written."""
    return tuple(e for f in FORMATS.values() if f.write for e in f.extensions)
