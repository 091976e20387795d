"""Reading OpenSim models: what is read, and what is refused with its place in the file."""

from __future__ import annotations

from pathlib import Path

import osim_made as made
import pytest

from rehabmotion.biomech.description import Frame, Step
from rehabmotion.errors import UserError
from rehabmotion.io.osim import read_osim

GLUE = '<PointConstraint name="glue"><isEnforced>true</isEnforced></PointConstraint>'
PIN = made.joint("PinJoint", "hinge", "ground", "arm", made.coordinate("bend"))
BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def refused(tmp_path: Path, text: str) -> str:
    """Return why a file is refused: one line that names the file."""
    path = made.written(tmp_path / "model.osim", text)
    with pytest.raises(UserError) as error:
        read_osim(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_read(tmp_path: Path) -> None:
    more = "<clamped>true</clamped><locked>true</locked>"
    joint = made.joint("PinJoint", "hinge", "ground", "arm", made.coordinate("bend", 0.25, more))
    text = made.document(["arm"], joint, made.marker("tip", "arm", "1 2 3"))
    model = read_osim(made.written(tmp_path / "model.osim", text))
    (bend,) = model.coordinates
    assert (bend.name, bend.default, bend.range, bend.clamped, bend.locked) == ("bend", 0.25, (-2, 2), True, True)
    assert model.joints[0].parent == Frame("ground", (Step((0.1, -0.2, 0.05), (0.3, -0.5, 0.7)),))
    assert (model.markers[0].frame, model.markers[0].location) == (Frame("arm"), (1, 2, 3))
    assert model.free() == ()


def test_offsets_of_offsets_are_followed(tmp_path: Path) -> None:
    inner = made.offset("inner", "/bodyset/arm", "1 0 0").replace(
        "</PhysicalOffsetFrame>",
        f"<components>{made.offset('outer', '..', '0 1 0')}</components></PhysicalOffsetFrame>",
    )
    text = made.document(["arm"], PIN).replace("<mass_center>", f"<components>{inner}</components><mass_center>")
    markers = '<MarkerSet name="markerset"><objects>' + made.marker("tip", "arm/inner/outer", "0 0 1")
    text = text.replace('<MarkerSet name="markerset"><objects>', markers)
    (tip,) = read_osim(made.written(tmp_path / "model.osim", text)).markers
    assert tip.frame == Frame("arm", (Step((1, 0, 0)), Step((0, 1, 0))))


def test_constraints_that_are_switched_off_are_left_out(tmp_path: Path) -> None:
    off = '<WeldConstraint name="glue"><isEnforced>false</isEnforced></WeldConstraint>'
    assert read_osim(made.written(tmp_path / "m.osim", made.document(["arm"], PIN, "", off))).couplers == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("no XML", "Expected XML"),
        (made.document(["arm"], PIN)[:400], "Expected XML"),
        ("<a/>", "Expected an OpenSimDocument, got <a>"),
        (made.document(["arm"], PIN, version="30000"), "of OpenSim 3. Open the model in OpenSim 4"),
        (made.document(["arm"], PIN, version="40700"), "a later one"),
        (made.document(["arm"], PIN, version="new"), "document version"),
        (made.document(["arm"], PIN, head=BOMB), "document type"),
        (made.document([], ""), "Expected bodies"),
        (made.document(["arm"], PIN.replace("PinJoint", "EllipsoidJoint")), "joint hinge has type EllipsoidJoint"),
        (made.document(["arm"], PIN.replace("/bodyset/arm", "/bodyset/leg")), "Expected a body or a frame"),
        (made.document(["arm", "leg"], PIN), 'body "leg": Expected a joint that carries it'),
        (made.document(["arm"], PIN + PIN.replace("hinge", "other")), "twice|hangs on"),
        (made.document(["arm"], PIN.replace("-2 2", "2 -2")), "range from low to high"),
        (made.document(["arm"], PIN.replace("-2 2", "low high")), "two numbers in <range>"),
        (made.document(["arm"], PIN.replace("0.1 -0.2 0.05", "0.1 nan 0.05")), "3 numbers in <translation>"),
        (made.document(["arm"], PIN.replace("0.1 -0.2 0.05", "0.1 0.05")), "3 numbers in <translation>"),
        (made.document(["arm"], PIN.replace("<coordinates>", "<coordinates>" + made.coordinate("more"))), "1 coord"),
        (made.document(["arm"], PIN, made.marker("tip", "hand", "0 0 0")), "Expected a body or a frame"),
        (
            made.document(["arm"], PIN, "", GLUE),
            "enforced PointConstraint",
        ),
        (
            made.document(["arm"], PIN, "", made.coupler("c", "bend", "none", made.FUNCTIONS["linear"])),
            'Expected a coordinate of the model, got "none"',
        ),
        (
            made.document(["arm"], PIN, "", made.coupler("c", "bend", "bend", made.FUNCTIONS["linear"])),
            "couplers in no circle",
        ),
        (
            made.document(["arm"], PIN, "", made.coupler("c", "bend", "bend", "<GCVSpline/>")),
            "Expected a function out of",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, text: str, why: str) -> None:
    import re

    assert re.search(why, refused(tmp_path, text)), refused(tmp_path, text)


def test_a_circle_of_joints_is_refused(tmp_path: Path) -> None:
    joints = made.joint("PinJoint", "a", "two", "one", made.coordinate("p"))
    joints += made.joint("PinJoint", "b", "one", "two", made.coordinate("q"))
    assert "circle of joints" in refused(tmp_path, made.document(["one", "two"], joints))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Expected an existing file"):
        read_osim(tmp_path / "none.osim")
