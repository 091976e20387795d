"""One video in, nine files out: each reads back, and they agree with one another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copyfile
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from capture_made import Squatter, points_of, squatter, write_tiny_lifter
from made_videos import greys, write_video

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.io.bvh import read_bvh
from rehabmotion.io.npz import read_npz
from rehabmotion.io.osim import read_osim
from rehabmotion.io.osim_models import open_osim, shipped_osim
from rehabmotion.io.storage import read_storage
from rehabmotion.io.trc import read_trc
from rehabmotion.motion import CANONICAL
from rehabmotion.vision.clip import open_clip
from rehabmotion.workflows.capture.files import marker_names
from rehabmotion.workflows.capture.lifting import captured
from rehabmotion.workflows.capture.overlay import nearest, projected_points
from rehabmotion.workflows.capture.run import CaptureConfig, capture_one, name_of
from rehabmotion.workflows.capture.watch import watch
from rehabmotion.workflows.fk import coordinates_of
from rehabmotion.workflows.lifter import open_lifter

ENDINGS = (".npz", ".bvh", ".trc", ".osim", ".mot", ".csv", ".mp4", "_report.html", "_report.json")
FRAMES = 24


class Made(NamedTuple):
    """What a capture was made of, where its files lie, what it returned."""

    video: Path
    out: Path
    report: dict[str, Any]
    config: CaptureConfig


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("captured")
    video = write_video(root / "cam03.mp4", greys(FRAMES, 128, 96))
    config = CaptureConfig(height=1.8, lifter=str(write_tiny_lifter(root / "lifter")))
    return Made(video, root / "out", capture_one(video, root / "out", config, make=squatter()), config)


def by_our_fk(osim: Path, mot: Path, names: list[str]) -> np.ndarray:
    """Return markers (T, M, 3) m of a model moved by coordinates."""
    model = read_osim(osim)
    number = {m.name: m for m in model.markers}
    k = Kinematics(model.with_markers([number[name] for name in names]))
    return k.markers(torch.from_numpy(coordinates_of(read_storage(mot), model))).numpy()


def test_all_files_are_there_and_nothing_else(made: Made) -> None:
    assert {p.name for p in made.out.iterdir()} == {f"cam03{ending}" for ending in ENDINGS}
    assert {Path(f).name for f in made.report["files"]} == {p.name for p in made.out.iterdir()}


def test_each_file_reads_back(made: Made) -> None:
    for motion in (read_npz(made.out / "cam03.npz"), *read_bvh(made.out / "cam03.bvh")):
        assert motion.n_frames == FRAMES
        assert motion.fps == pytest.approx(30, rel=1e-3)
    assert read_npz(made.out / "cam03.npz").skeleton == CANONICAL
    (markers,) = read_trc(made.out / "cam03.trc")
    assert list(markers.skeleton.joint_names) == marker_names(open_osim("rehab37"))
    assert read_osim(made.out / "cam03.osim").name == "rehab37_cam03"
    table = (made.out / "cam03.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == FRAMES + 1
    assert [f.time for f in open_clip(made.out / "cam03.mp4")] == pytest.approx(
        [i / 30 for i in range(FRAMES)], abs=2e-3
    )
    report = json.loads((made.out / "cam03_report.json").read_text(encoding="utf-8"))
    assert report == {k: v for k, v in made.report.items() if k != "files"}
    assert "cam03" in (made.out / "cam03_report.html").read_text(encoding="utf-8")


def test_coordinates_have_a_row_for_each_frame_of_the_video_at_its_time(made: Made) -> None:
    times = [frame.time for frame in open_clip(made.video)]
    assert read_storage(made.out / "cam03.mot").times == pytest.approx(times, abs=1e-6)


def test_model_and_coordinates_give_the_markers_within_a_millimetre(made: Made) -> None:
    (markers,) = read_trc(made.out / "cam03.trc")
    names = list(markers.skeleton.joint_names)
    places = by_our_fk(made.out / "cam03.osim", made.out / "cam03.mot", names)
    assert np.abs(places - markers.positions).max() < 1e-3


def test_opensim_loads_model_and_coordinates_and_has_the_markers_there(made: Made) -> None:
    opensim = pytest.importorskip("opensim", reason="OpenSim is the oracle: pip install opensim")
    opensim.Logger.setLevelString("off")
    model = opensim.Model(str(made.out / "cam03.osim"))
    state = model.initSystem()
    table = opensim.TimeSeriesTable(str(made.out / "cam03.mot"))
    assert table.getNumRows() == FRAMES
    (markers,) = read_trc(made.out / "cam03.trc")
    row, coordinates = 7, model.getCoordinateSet()
    for label in table.getColumnLabels():
        value = table.getDependentColumn(label)[row]
        coordinate = coordinates.get(label)
        turns = coordinate.getMotionType() == opensim.Coordinate.Rotational
        coordinate.setValue(state, np.deg2rad(value) if turns else value, False)
    model.assemble(state)
    for name in ("r_knee_study", "L_toe_study", "joint_head"):
        at = model.getMarkerSet().get(name).getLocationInGround(state).to_numpy()
        assert at == pytest.approx(markers.positions[row, list(markers.skeleton.joint_names).index(name)], abs=1e-3)


def test_what_was_found_lies_where_it_was_seen(made: Made) -> None:
    """The refinement brings even an unlearnt lifter's skeleton over the picture: median under a body's twentieth."""
    watched = watch(made.video, make=squatter())
    lifter, about = open_lifter(made.config.lifter)
    found = captured(watched.choice.track, lifter, about)
    drawn = projected_points(found, lifter.body.model, (128, 96))
    true = points_of(found.times, 128, 96)
    assert np.median(np.linalg.norm(drawn - true, axis=-1)) < 4


def test_height_scales_sizes_and_places(made: Made, tmp_path: Path) -> None:
    """All lengths are those of the picture times the height: 0.9 m halves what 1.8 m gives.

    Exactly so before the refinement, whose tolerances are metres.
    """
    watched = watch(made.video, make=squatter())
    lifter, about = open_lifter(made.config.lifter)
    large, small = (captured(watched.choice.track, lifter, about, h, None, refine=False) for h in (1.8, 0.9))
    assert large.scales == pytest.approx(2 * small.scales)
    assert large.q[:, 3:6] == pytest.approx(2 * small.q[:, 3:6], abs=1e-3)
    assert large.q[:, 6:] == pytest.approx(small.q[:, 6:], abs=1e-6)
    capture_one(made.video, tmp_path / "out", replace(made.config, height=0.9), make=squatter())
    bones = []
    for folder in (made.out, tmp_path / "out"):
        (markers,) = read_trc(folder / "cam03.trc")
        hip, knee = (list(markers.skeleton.joint_names).index(f"joint_left_{name}") for name in ("hip", "knee"))
        bones.append(np.linalg.norm(markers.positions[:, hip] - markers.positions[:, knee], axis=1).mean())
    assert bones[0] == pytest.approx(2 * bones[1], rel=0.01)


def test_another_file_of_the_same_model_gives_the_same_markers(made: Made, tmp_path: Path) -> None:
    copied = tmp_path / "own.osim"
    copyfile(shipped_osim("rehab37"), copied)
    report = capture_one(made.video, tmp_path / "out", replace(made.config, osim=str(copied)), make=squatter())
    assert report["model_rms_mm"] < 5
    names = ["r_knee_study", "L_calc_study", "C7_study"]
    (markers,) = read_trc(tmp_path / "out" / "cam03.trc")
    columns = [list(markers.skeleton.joint_names).index(name) for name in names]
    places = by_our_fk(tmp_path / "out" / "cam03.osim", tmp_path / "out" / "cam03.mot", names)
    assert np.abs(places - markers.positions[:, columns]).max() < 0.02
    assert len(read_storage(tmp_path / "out" / "cam03.mot").times) == FRAMES


@pytest.mark.slow
def test_a_model_of_others_with_markers_in_common(made: Made, tmp_path: Path, data_dir: Path) -> None:
    osim = data_dir / "opensim/opencap/squat/LaiArnoldModified2017_contacts.osim"
    if not osim.is_file():
        pytest.skip(f"needs {osim.relative_to(data_dir)}")
    report = capture_one(made.video, tmp_path / "out", replace(made.config, osim=str(osim)), make=squatter())
    assert report["model_rms_mm"] < 40
    assert len(read_storage(tmp_path / "out" / "cam03.mot").times) == FRAMES
    assert read_osim(tmp_path / "out" / "cam03.osim").name.endswith("cam03")


def test_a_model_without_markers_in_common_is_refused_before_the_watch(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told only after the whole video had been watched."""
    text = shipped_osim("rehab37").read_text(encoding="utf-8").replace("_study", "_other").replace("joint_", "other_")
    (tmp_path / "other.osim").write_text(text, encoding="utf-8")

    def never(*_: object) -> Squatter:
        raise AssertionError("watched")

    for osim, words in ((tmp_path / "other.osim", "markers that a capture has"), (tmp_path / "none.osim", "none.osim")):
        with pytest.raises(UserError, match=words):
            capture_one(made.video, tmp_path / "out", replace(made.config, osim=str(osim)), make=never)
    assert not (tmp_path / "out").exists()


def test_frames_without_the_person_are_masked(
    video: Callable[..., Path], config: CaptureConfig, tmp_path: Path
) -> None:
    """They leave for a third of a second, return and are the same person; .mot goes on, the masks say where not to."""
    report = capture_one(video(45), tmp_path / "out", config, make=squatter((0.5, 0.833)))
    motion = read_npz(tmp_path / "out" / "cam03.npz")
    assert np.flatnonzero(~motion.valid.all(axis=1)).tolist() == list(range(15, 25))
    assert np.isfinite(motion.positions[motion.valid]).all()
    (markers,) = read_trc(tmp_path / "out" / "cam03.trc")
    assert np.flatnonzero(~markers.valid.any(axis=1)).tolist() == list(range(15, 25))
    table = read_storage(tmp_path / "out" / "cam03.mot")
    assert len(table.times) == 45
    assert np.isfinite(table.values).all()
    assert report["seen"] == pytest.approx(35 / 45, abs=1e-4)
    assert any("not seen in 22 %" in line for line in report["warnings"])


def test_who_is_away_for_long_returns_as_another(
    video: Callable[..., Path], config: CaptureConfig, tmp_path: Path
) -> None:
    report = capture_one(video(75), tmp_path / "out", config, make=squatter((0.6, 1.9)))
    assert report["people"] == 2
    assert report["seen"] == pytest.approx(18 / 75, abs=1e-4)


@pytest.mark.parametrize("away", [(0.0, 9.0), (0.05, 9.0)], ids=["nobody", "two frames"])
def test_nobody_leaves_nothing_behind(
    video: Callable[..., Path], config: CaptureConfig, tmp_path: Path, away: tuple[float, float]
) -> None:
    with pytest.raises(UserError, match="Expected a person in"):
        capture_one(video(), tmp_path / "out", config, make=squatter(away))
    assert not (tmp_path / "out").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["given"]


def test_the_detector_is_closed_after_an_error(
    video: Callable[..., Path], config: CaptureConfig, tmp_path: Path
) -> None:
    class Broken(Squatter):
        def people(self, image: np.ndarray, time: float) -> list[Any]:
            raise RuntimeError("ended")

    broken = Broken()
    with pytest.raises(RuntimeError, match="ended"):
        capture_one(video(), tmp_path / "out", config, make=lambda *_: broken)
    assert broken.closed
    assert not (tmp_path / "out").exists()


def test_names(tmp_path: Path) -> None:
    """A file whose name begins with webcam was called by its whole path; a link by what it led to."""
    (tmp_path / "clip.v2").mkdir()
    (tmp_path / "real.mp4").touch()
    (tmp_path / "latest.mp4").symlink_to(tmp_path / "real.mp4")
    assert name_of(Path("a/cam03.mp4")) == "cam03"
    assert name_of(Path("webcam:0")) == "webcam0"
    assert name_of(Path("webcams/webcam_b.mp4")) == "webcam_b"
    assert name_of(tmp_path / "clip.v2") == "clip.v2"
    assert name_of(tmp_path / "latest.mp4") == "latest"
    assert name_of(Path(".")) == Path.cwd().name


def test_nearest() -> None:
    times = np.arange(5) / 10
    assert [nearest(times, t) for t in (0.0, 0.14, 0.16, 0.49, 0.51)] == [0, 1, 2, 4, None]


def test_what_cannot_be_asked() -> None:
    for how, words in (
        ({"height": float("nan")}, "height from"), ({"height": 172.0}, "height from"), ({"fov": 0.0}, "field of view"),
        ({"fov": float("inf")}, "field of view"), ({"person": "tallest"}, "--person"), ({"person": "0"}, "--person"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=words):
            CaptureConfig(**how)  # type: ignore[arg-type]
