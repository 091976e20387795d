"""Scaled models: read again they are the scaled originals, to us and to OpenSim; what is not scaled stays."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import osim_made as made
import pytest
import torch
from osim_oracle import Oracle

from rehabmotion.biomech.kinematics import Kinematics
from rehabmotion.errors import UserError
from rehabmotion.io.osim import read_osim
from rehabmotion.io.osim_write import write_scaled_osim

DATA = os.environ.get("REHABMOTION_DATA")
FILES = sorted(Path(DATA or "/nowhere").glob("opensim/**/*.osim"))


def comes_back_scaled(source: Path, out: Path) -> Kinematics:
    """Write a model scaled at random, read it, and hold it against the original with those factors."""
    model, rng = read_osim(source), np.random.default_rng(0)
    scales = {body.name: rng.uniform(0.8, 1.2, 3) for body in model.bodies}
    moved = [replace(m, location=tuple(np.array(m.location) + 0.01)) for m in model.markers]  # type: ignore[arg-type]
    worn = model.with_markers(moved)
    write_scaled_osim(source, scales, worn, "scaled", "scaled -- by a test", out)
    found = Kinematics(read_osim(out))
    given = torch.tensor(np.array([scales[body.name] for body in model.bodies]))
    q = torch.tensor(rng.uniform(-0.5, 0.5, (3, len(model.coordinates))))
    before = Kinematics(worn)
    np.testing.assert_allclose(found(q).positions, before(q, given).positions, atol=1e-14)
    np.testing.assert_allclose(found.markers(q), before.markers(q, given), atol=1e-14)
    return found


def test_every_function_and_joint(tmp_path: Path) -> None:
    for text in (made.every_function("0.6 0.8 0"), made.every_joint()):
        comes_back_scaled(made.written(tmp_path / "model.osim", text), tmp_path / "scaled.osim")


@pytest.mark.skipif(not FILES, reason="REHABMOTION_DATA with opensim/ is not set")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_models_of_others(path: Path, tmp_path: Path) -> None:
    found = comes_back_scaled(path, tmp_path / "scaled.osim")
    if find_spec("opensim") is not None:
        oracle = Oracle(tmp_path / "scaled.osim")
        q = found.coupled(found.default)
        oracle.put({name: float(value) for name, value in zip(found.names, q, strict=True)})
        np.testing.assert_allclose(found(q).positions, oracle.bodies()[1], atol=1e-12)


def test_the_rest_of_the_file_is_kept(tmp_path: Path) -> None:
    text = made.every_function().replace(
        "</Model>", "<ForceSet><objects><Muscle name='m'/></objects></ForceSet></Model>"
    )
    source = made.written(tmp_path / "model.osim", text)
    comes_back_scaled(source, tmp_path / "scaled.osim")
    after = (tmp_path / "scaled.osim").read_text(encoding="utf-8")
    assert "<Muscle name='m'/>" in after or '<Muscle name="m"/>' in after
    assert "scaled - - by a test" in after
    assert '<Model name="scaled">' in after


def test_factors_of_unknown_bodies_are_refused(tmp_path: Path) -> None:
    source = made.written(tmp_path / "model.osim", made.every_joint())
    with pytest.raises(UserError, match="Expected bodies of made, got wing"):
        write_scaled_osim(source, {"wing": (1, 1, 1)}, read_osim(source), "x", "", tmp_path / "out.osim")
    assert not (tmp_path / "out.osim").exists()
