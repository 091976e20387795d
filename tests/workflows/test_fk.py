"""Coordinates over time in, bodies and markers out: units, defaults, couplers, refusals."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import osim_made as made
import pytest

from rehabmotion.errors import UserError
from rehabmotion.io.trc import read_trc
from rehabmotion.workflows.fk import forward_kinematics

ARM = (
    '<{kind} name="{name}"><socket_parent_frame>{parent}</socket_parent_frame><socket_child_frame>/bodyset/{child}'
    "</socket_child_frame><coordinates>{coordinates}</coordinates></{kind}>"
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A slider along x that carries a pin; another pin follows the first one by half."""
    joints = ARM.format(
        kind="SliderJoint", name="rail", parent="/ground", child="cart", coordinates=made.coordinate("x")
    )
    joints += ARM.format(
        kind="PinJoint", name="hinge", parent="/bodyset/cart", child="arm", coordinates=made.coordinate("bend", 0.5)
    )
    joints += ARM.format(
        kind="PinJoint", name="wrist", parent="/bodyset/arm", child="hand", coordinates=made.coordinate("follow")
    )
    half = "<LinearFunction><coefficients>0.5 0</coefficients></LinearFunction>"
    text = made.document(
        ["cart", "arm", "hand"], joints, made.marker("tip", "arm", "1 0 0"), made.coupler("c", "follow", "bend", half)
    )
    return made.written(tmp_path / "model.osim", text)


def table(path: Path, header: str, labels: str, *rows: str) -> Path:
    """Return a .mot file."""
    path.write_text(
        "\n".join([*header.split(), "endheader", labels.replace(" ", "\t"), *rows]) + "\n", encoding="utf-8"
    )
    return path


def rows_of(path: Path) -> list[dict[str, float]]:
    """Return the rows of a CSV as numbers."""
    with path.open(encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def test_degrees_lengths_defaults_and_couplers(model: Path, tmp_path: Path) -> None:
    mot = table(tmp_path / "a.mot", "inDegrees=yes", "time bend x", "0.5\t90\t0.25", "0.6\t60\t-0.25")
    first, second = rows_of(forward_kinematics(str(model), mot, tmp_path / "a.csv"))
    assert first["time"] == 0.5
    assert first["cart_tx"] == first["arm_tx"] == 0.25
    assert first["arm_qw"] == pytest.approx(math.cos(math.pi / 4), abs=1e-15)
    assert second["hand_qz"] == pytest.approx(math.sin(math.radians(90) / 2), abs=1e-15)  # 60 and half of it
    (row,) = rows_of(
        forward_kinematics(
            str(model), table(tmp_path / "b.mot", "inDegrees=yes", "time x", "0\t0.1"), tmp_path / "b.csv"
        )
    )
    assert row["arm_qz"] == pytest.approx(math.sin(0.25), abs=1e-15)  # stands at its default of 0.5 rad


def test_radians_and_paths(model: Path, tmp_path: Path) -> None:
    labels = "time /jointset/hinge/bend/value /jointset/hinge/bend/speed"
    sto = table(tmp_path / "a.sto", "inDegrees=no", labels, "0\t0.3\t9", "0.1\t0.4\t9")
    path = forward_kinematics(str(model), sto, tmp_path / "a.trc")
    (motion,) = read_trc(path)
    np.testing.assert_allclose(motion.positions[:, 0], [[math.cos(b), math.sin(b), 0] for b in (0.3, 0.4)], atol=1e-7)
    cell = path.read_text(encoding="utf-8").splitlines()[6].split("\t")[2]
    assert float(cell) == math.cos(0.3)  # all digits


@pytest.mark.parametrize(
    ("header", "labels", "row", "why"),
    [
        ("version=1", "time bend", "0\t1", "inDegrees=yes or inDegrees=no"),
        ("inDegrees=yes", "time knee", "0\t1", "got the column 'knee'"),
        ("inDegrees=yes", "time bend", "0\tnan", "row 1 has none"),
        ("inDegrees=yes", "time /jointset/hinge/bend/speed", "0\t1", "found none among 1 columns"),
        ("inDegrees=yes", "time bend /jointset/hinge/bend/value", "0\t1\t1", "one column of bend"),
    ],
)
def test_tables_that_do_not_fit_are_refused(
    model: Path, tmp_path: Path, header: str, labels: str, row: str, why: str
) -> None:
    mot = table(tmp_path / "a.mot", header, labels, row)
    with pytest.raises(UserError, match=why) as error:
        forward_kinematics(str(model), mot, tmp_path / "out.csv")
    assert str(mot) in str(error.value)
    assert not (tmp_path / "out.csv").exists()


def test_other_outputs_are_refused(model: Path, tmp_path: Path) -> None:
    mot = table(tmp_path / "a.mot", "inDegrees=yes", "time bend", "0\t1")
    with pytest.raises(UserError, match="bodies"):
        forward_kinematics(str(model), mot, tmp_path / "out.txt")
    bare = made.written(
        tmp_path / "bare.osim",
        made.document(["arm"], made.joint("PinJoint", "h", "ground", "arm", made.coordinate("bend"))),
    )
    with pytest.raises(UserError, match="with markers"):
        forward_kinematics(str(bare), mot, tmp_path / "out.trc")
