"""Labels of drawn frames: what the skeletal layer makes of them, people apart, ranges of those learnt from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.models.direct.targets import TargetsConfig, targets_of
from rehabmotion.workflows.direct.data import HELD_OUT, Material, drawn, frames_of, made_takes, material
from rehabmotion.workflows.rendered import Render, open_rendered


def test_places_of_the_layer_are_those_that_were_drawn(tmp_path: Path) -> None:
    """Joint centres of rehab37 are the origins of its bodies, so masks and pixels of bodies are those of joints."""
    path = drawn(made_takes(1, 4), Render(size=64, every=2), tmp_path, lambda _: None)[0]
    rendered = open_rendered(path)
    layer = SkeletalLayer(targets_of(TargetsConfig(), open_osim("rehab37")))
    frames = frames_of(rendered, layer)
    order = [[b.name for b in layer.targets.model.bodies].index(j.child.body) for j in _joints(layer)]
    np.testing.assert_allclose(frames.labels.joints.numpy(), rendered.joints[:, order], atol=2e-5)
    np.testing.assert_allclose(frames.labels.markers.numpy(), rendered.markers, atol=2e-5)


def _joints(layer: SkeletalLayer) -> list:
    named = {joint.name: joint for joint in layer.targets.model.joints}
    return [named[name] for name in layer.joint_names]


def test_people_are_apart_and_ranges_are_of_those_learnt_from(little: Material) -> None:
    assert set(little.held_out.person) == set(HELD_OUT)
    assert not set(little.training.person) & set(HELD_OUT)
    targets = targets_of(little.targets, little.model)
    tied = targets.ties.gather(little.training.frames.labels.scales)
    assert (tied > torch.tensor(little.targets.scale_low)).all()
    assert (tied < torch.tensor(little.targets.scale_high)).all()
    narrow = targets_of(little.targets_fixed, little.model)
    assert max(narrow.scale_half) < 0.002


def test_made_up_movement_is_smooth_within_ranges_and_by_seed() -> None:
    takes, again = made_takes(2, 20), made_takes(2, 20)
    model = open_osim("rehab37")
    assert [t.meta["person"] for t in takes] == [p for p in ("p01", "p02", *HELD_OUT) for _ in range(2)]
    for take, same in zip(takes, again, strict=True):
        np.testing.assert_array_equal(take.q, same.q)
        assert np.abs(np.diff(take.q, axis=0)).max() < 0.2
        for i, coordinate in enumerate(model.coordinates):
            assert (take.q[:, i] >= coordinate.range[0] - 1e-6).all()
            assert (take.q[:, i] <= coordinate.range[1] + 1e-6).all()


def test_people_of_one_side_only_are_refused(tmp_path: Path) -> None:
    takes = [t for t in made_takes(1, 4) if t.meta["person"] in HELD_OUT]
    with pytest.raises(UserError, match="at least one clip"):
        material(drawn(takes, Render(size=32, every=2), tmp_path, lambda _: None))


def test_angles_that_were_solved_badly_or_cannot_be_told_are_masked(tmp_path: Path) -> None:
    takes = made_takes(1, 6)
    names = [c.name for c in open_osim("rehab37").coordinates]
    takes[0].q[:, names.index("arm_add_r")] = -1.5  # near the lock of that shoulder
    takes[1].rms[:] = 0.2
    files = drawn(takes, Render(size=64, every=2), tmp_path, lambda _: None)
    found = material(files)
    chosen = targets_of(found.targets, found.model).coordinates
    mask = found.training.frames.labels.coordinate_mask
    good = found.training.frames.clip == found.training.person.index("p01")
    assert not mask[good][:, [chosen.index("arm_flex_r"), chosen.index("arm_rot_r")]].any()
    assert mask[good][:, [chosen.index("arm_add_r"), chosen.index("knee_angle_r")]].all()
    assert not mask[~good].any()
