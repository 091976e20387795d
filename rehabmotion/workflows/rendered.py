"""Pictures of recorded people with all that is known of them: labelled frames from which networks learn angles.

Motion is real, as `labels` solved it; people, rooms and cameras are drawn by chance (viz/rendering). Kept in the cache
folder as .npz, one or more for each person, so that those held out never mix with the others.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.data.corpora import corpus, corpus_root
from rehabmotion.data.prepare import cache_folder
from rehabmotion.errors import UserError
from rehabmotion.files import read_bytes, write_atomic
from rehabmotion.io.osim_models import open_osim, shipped_osim
from rehabmotion.motion import Motion
from rehabmotion.viz.rendering.lens import Lens
from rehabmotion.viz.rendering.looks import draw_look
from rehabmotion.viz.rendering.raster import Scene
from rehabmotion.viz.rendering.room import draw_light, draw_room
from rehabmotion.viz.rendering.sensor import draw_sensor, exposed
from rehabmotion.viz.rendering.shapes import Figure, figure
from rehabmotion.viz.rendering.show import Labels, write_labelled
from rehabmotion.viz.rendering.views import Cameras, draw_lens
from rehabmotion.workflows.labels import Take, labels

VERSION = 1  # raise when pictures or labels change
SIZES = (16, 512)
PER_FILE = 2000  # frames; 55 MB at 96 pixels
MAX_PIXELS = 1 << 27  # bytes of images in a file
FLOOR = 25  # percentile of the frames' lowest points where the floor is: feet slip and sink a little in solved motion
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Rendered:
    """N frames of K clips. Camera's axes are x right, y down, z away, m; places are about the pelvis's origin.

    images (N, 3, S, S), RGB; q (N, C) coordinates of rehab37, rad and m; root (N, 3, 3) pelvis -> camera's axes; joints
    (N, 22, 3) origins of the bodies, in the model's order, markers (N, M, 3); origin (N, 3) where the pelvis is in the
    camera's axes; joint_pixels (N, 22, 2), marker_pixels (N, M, 2), x and y, a pixel's centre half a pixel from its
    corner; joint_inside (N, 22), marker_inside (N, M): within the picture; rms (N,) what the solved motion misses, m;
    times (N,) s; clip (N,) row of the following.

    scales (K, 22, 3) factors of bodies; focal (K,) pixels; camera (K, 3, 3) ground -> camera's axes and place (K, 3) m
    of it, the floor at y = 0; floor (K,) m: what was taken off pelvis_ty in q for that; person, exercise, score (K,).
    """

    images: NDArray[np.uint8]
    q: Floats
    root: Floats
    joints: Floats
    markers: Floats
    origin: Floats
    joint_pixels: Floats
    marker_pixels: Floats
    joint_inside: NDArray[np.bool_]
    marker_inside: NDArray[np.bool_]
    rms: Floats
    times: Floats
    clip: NDArray[np.int64]
    scales: Floats
    focal: Floats
    camera: Floats
    place: Floats
    floor: Floats
    person: NDArray[np.str_]
    exercise: NDArray[np.str_]
    score: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.images)


OF_CLIP = ("scales", "focal", "camera", "place", "floor", "person", "exercise", "score")


@dataclass(frozen=True)
class Render:
    """How clips are drawn. every: n-th frame of a clip, from one of the first n; views: cameras (and looks) of a clip;
    most: frames of a clip, evenly spread over it, 0: all.
    """

    size: int = 96
    seed: int = 0
    every: int = 10
    views: int = 1
    most: int = 0
    cameras: Cameras = Cameras()  # noqa: RUF009 (frozen)

    def __post_init__(self) -> None:
        if not SIZES[0] <= self.size <= SIZES[1]:
            raise UserError(f"Expected pictures of {SIZES[0]} to {SIZES[1]} pixels, got {self.size}.")
        if self.every < 1 or self.views < 1 or self.most < 0 or self.seed < 0:
            raise UserError(
                f"Expected every and views above 0, most and seed 0 or more, got {self.every}, {self.views}, "
                f"{self.most}, {self.seed}."
            )


def render_clips(takes: Sequence[Take], how: Render = Render(), first: int = 0) -> Rendered:
    """Return pictures and labels of clips. `first`: the number of the first, for the same clips drawn in parts.

    A clip's pictures follow from its number, the view and the seed alone. No clips raise UserError.
    """
    return joined(
        render_clip(take, how, first + number, view) for number, take in enumerate(takes) for view in range(how.views)
    )


def render_clip(take: Take, how: Render, number: int = 0, view: int = 0) -> Rendered:
    """Return pictures and labels of one clip, drawn by the chance of (seed, number, view).

    An empty clip, coordinates that are no numbers or not rehab37's, raise UserError.
    """
    body = _body()
    rng = np.random.default_rng([how.seed, number, view])
    rows = _chosen(len(take.q), how, rng)
    if take.q.ndim != 2 or take.q.shape[1] != len(body.names) or not np.isfinite(take.q[rows]).all():
        raise UserError(f"Expected numbers, coordinates of rehab37 (T, {len(body.names)}), got {take.q.shape}.")
    figure_ = figure(draw_look(rng), [b.name for b in body.model.bodies], take.scales)
    q = take.q[rows].astype(np.float64)
    floor = _floor(body, figure_, q, take.scales)
    q[:, body.names.index("pelvis_ty")] -= floor
    rotations, positions, markers = _posed(body, q, take.scales)
    bounds = figure_.cones.bounds(rotations, positions)  # (T, P, 2, 3)
    lens = draw_lens(rng, how.cameras, how.size, bounds.reshape(-1, 2, 3), _facing(rotations[:, 0]))
    stage = np.stack([bounds[:, :, 0].min(axis=(0, 1)), bounds[:, :, 1].max(axis=(0, 1))])
    light = draw_light(rng)
    scene = Scene(figure_, lens, light, draw_room(rng, lens, light, stage), stage)
    sensor = draw_sensor(rng)
    images = [exposed(scene.draw(r, p).rgb, sensor, rng) for r, p in zip(rotations, positions, strict=True)]
    return _labelled(take, rows, q, np.stack(images), lens, floor, (rotations, positions, markers))


def _labelled(
    take: Take,
    rows: NDArray[np.int64],
    q: NDArray[np.float64],
    images: NDArray[np.uint8],
    lens: Lens,
    floor: float,
    posed: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> Rendered:
    rotations, positions, markers = posed
    joints, marks = lens.seen(positions), lens.seen(markers)
    origin = joints[:, :1]
    pixels = [lens.pixels(places) for places in (joints, marks)]
    inside = [
        ((p >= 0) & (p < lens.size)).all(axis=-1) & (s[..., 2] > 0)
        for p, s in zip(pixels, (joints, marks), strict=True)
    ]

    def single(a: NDArray[np.floating] | list[float]) -> Floats:
        return np.asarray(a, np.float32)

    return Rendered(
        images=images,
        q=single(q),
        root=single(lens.rotation @ rotations[:, 0]),
        joints=single(joints - origin),
        markers=single(marks - origin),
        origin=single(origin[:, 0]),
        joint_pixels=single(pixels[0]),
        marker_pixels=single(pixels[1]),
        joint_inside=inside[0],
        marker_inside=inside[1],
        rms=single(take.rms[rows]),
        times=single(rows / take.fps),
        clip=np.zeros(len(rows), np.int64),
        scales=single(take.scales)[None],
        focal=single([lens.focal]),
        camera=single(lens.rotation)[None],
        place=single(lens.place)[None],
        floor=single([floor]),
        person=np.array([str(take.meta.get("person", take.meta.get("subject", "")))]),
        exercise=np.array([str(take.meta.get("exercise", ""))]),
        score=np.array([take.score]),
    )


def joined(parts: Iterable[Rendered]) -> Rendered:
    """Return several as one, clips renumbered. None raises UserError."""
    parts = list(parts)
    if not parts:
        raise UserError("Expected at least one clip to draw, got none.")
    starts = np.cumsum([0, *(len(part.person) for part in parts[:-1])])
    arrays = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Rendered)}
    arrays["clip"] = np.concatenate([part.clip + start for part, start in zip(parts, starts, strict=True)])
    return Rendered(**arrays)


def rendered_corpus(
    name: str = "uiprmd-vicon",
    how: Render = Render(),
    data_dir: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, list[Path]]:
    """Return the files of each person of a corpus; drawn on first use, a minute per 4000 frames, and kept.

    What was drawn before an interruption is kept too. Read them by `open_rendered`, choose them by `split`.
    """
    digest = hashlib.sha256(json.dumps([VERSION, str(corpus_root(name, data_dir)), asdict(how)]).encode())
    digest.update(shipped_osim("rehab37").read_bytes())
    folder = cache_folder() / "rendered" / f"{name}-{how.size}-{how.seed}-{digest.hexdigest()[:16]}"
    listed = folder / "files.json"
    if not listed.exists():
        files = write_rendered(labels(name, data_dir, say), folder, how, say)
        write_atomic(listed, json.dumps({who: [path.name for path in own] for who, own in files.items()}))
    found = json.loads(read_bytes(listed))
    return {who: [folder / file for file in own] for who, own in found.items()}


def write_rendered(
    takes: Sequence[Take], folder: Path, how: Render, say: Callable[[str], None] = lambda _: None
) -> dict[str, list[Path]]:
    """Draw clips into a folder and return each person's, PERSON-NN.npz; files that are there are not redrawn."""
    numbered: dict[str, list[tuple[int, Take]]] = {}
    for number, take in enumerate(takes):
        numbered.setdefault(str(take.meta.get("person", take.meta.get("subject", ""))), []).append((number, take))
    files: dict[str, list[Path]] = {}
    for row, (who, own) in enumerate(sorted(numbered.items())):
        for part, group in enumerate(_groups(own, how)):
            path = folder / f"{_safe(who, row)}-{part:02d}.npz"
            files.setdefault(who, []).append(path)
            if path.exists():
                continue
            drawn = joined(render_clip(take, how, number, view) for number, take in group for view in range(how.views))
            write_atomic(path, _packed(drawn))
            say(f"drew {who}, {path.name}: {len(drawn)} frames")
    return files


def split(files: dict[str, list[Path]], name: str, part: str) -> list[Path]:
    """Return the files of people who are held out in a corpus ("val"), of the others ("train"), or of "all"."""
    if part not in ("train", "val", "all"):
        raise UserError(f'Expected "train", "val" or "all", got "{part}".')
    stand_ins = [Motion(np.zeros((1, 22, 3), np.float32), 30.0, meta={"subject": who}) for who in files]
    held_out = corpus(name).held_out(stand_ins)
    return [
        path
        for (_, own), out in zip(files.items(), held_out, strict=True)
        for path in own
        if part == "all" or out == (part == "val")
    ]


def open_rendered(path: Path) -> Rendered:
    """Return what a file holds. One that is no such file, or damaged, raises UserError."""
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as arrays:
            return Rendered(**{f.name: arrays[f.name] for f in fields(Rendered)})
    except (BadZipFile, ValueError, KeyError, EOFError) as error:
        raise UserError(
            f"{path}: Expected drawn frames, got something else ({error}). Delete it and draw anew."
        ) from None


def _packed(drawn: Rendered) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{f.name: getattr(drawn, f.name) for f in fields(Rendered)})
    return buffer.getvalue()


def _groups(own: Sequence[tuple[int, Take]], how: Render) -> Iterator[list[tuple[int, Take]]]:
    """Yield clips of one file each: at most PER_FILE frames, unless one clip alone has more."""
    group, count = list[tuple[int, Take]](), 0
    limit = min(PER_FILE, MAX_PIXELS // (3 * how.size**2))
    for number, take in own:
        n = how.views * len(_chosen(len(take.q), how, np.random.default_rng([how.seed, number, 0])))
        if n > 4 * MAX_PIXELS // (3 * how.size**2):
            raise UserError(f"Expected a clip that fits a file, got {n} frames of {how.size} pixels. Set `most`.")
        if group and count + n > limit:
            yield group
            group, count = [], 0
        group.append((number, take))
        count += n
    if group:
        yield group


def _safe(who: str, row: int) -> str:
    return who if who.isascii() and who.isalnum() else f"person{row:03d}"


def _chosen(n: int, how: Render, rng: np.random.Generator) -> NDArray[np.int64]:
    if n < 1:
        raise UserError("Expected a clip with a frame or more to draw, got none.")
    rows = np.arange(int(rng.integers(min(how.every, n))), n, how.every)
    return (
        rows
        if not how.most or len(rows) <= how.most
        else rows[np.linspace(0, len(rows) - 1, how.most).round().astype(int)]
    )


@cache
def _body() -> Kinematics:
    return Kinematics(open_osim("rehab37"))


def _posed(
    body: Kinematics, q: NDArray[np.float64], scales: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return rotations (T, B, 3, 3) and origins (T, B, 3) of bodies, places of markers (T, M, 3), in ground."""
    columns, factors = torch.from_numpy(q), torch.from_numpy(np.asarray(scales, np.float64))
    with torch.no_grad():
        pose, markers = body(columns, factors), body.markers(columns, factors)
    return pose.rotations.numpy(), pose.positions.numpy(), markers.numpy()


def _floor(body: Kinematics, person: Figure, q: NDArray[np.float64], scales: NDArray[np.floating]) -> float:
    """Return the height of the floor: where the drawn body is lowest, in most frames."""
    rotations, positions, _ = _posed(body, q, scales)
    lowest = person.cones.bounds(rotations, positions)[:, :, 0, 1].min(axis=1)
    return float(np.percentile(lowest, FLOOR))


def _facing(pelvis: NDArray[np.float64]) -> float:
    """Return the azimuth, rad from ground's x towards z, that the pelvis (T, 3, 3) faces on average."""
    x, _, z = pelvis[:, :, 0].mean(axis=0)
    return float(np.arctan2(z, x))


def write_video(drawn: Rendered, path: Path, clip: int = 0, coordinate: str = "knee_angle_r") -> None:
    """Write one clip with its labels on it, .mp4 (needs rehabmotion[video]) or .png; the line below tells a coordinate.

    A clip or coordinate that is not there raises UserError.
    """
    model = _body().model
    if coordinate not in _body().names:
        raise UserError(f'Expected a coordinate of rehab37, got "{coordinate}".')
    rows = np.flatnonzero(drawn.clip == clip)
    if not len(rows):
        raise UserError(f"Expected a clip from 0 to {int(drawn.clip.max())}, got {clip}.")
    bodies = [body.name for body in model.bodies]
    bones = [(bodies.index(j.parent.body), bodies.index(j.child.body)) for j in model.joints if j.parent.body in bodies]
    values = np.degrees(drawn.q[rows, _body().names.index(coordinate)])
    lines = [f"{drawn.person[clip]} {drawn.exercise[clip]}  {coordinate} {value:.0f}" for value in values]
    shown = Labels(drawn.joint_pixels[rows], drawn.marker_pixels[rows], bones, lines, drawn.times[rows])
    write_labelled(drawn.images[rows], shown, path)
