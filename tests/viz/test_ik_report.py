"""The page about inverse kinematics: errors by hand, limits and factors, what is escaped."""

import re

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.viz.ik_report import ik_report

TIMES = np.arange(4) / 10
REPORT = {
    "model": "rehab37",
    "version": "1",
    "rms_mm": {"median": 3.0, "mean": 4.0, "max": 5.0},
    "scales": {"femur_r": [1.0, 1.1, 1.0]},
    "at_a_limit": {"knee_angle_r": 0.25, "arm_add_l": 0.5},
    "notes": ["left out: <b>"],
}
ERRORS = {"RKNE": np.array([3.0, 4.0, np.nan, np.nan]), "C7": np.array([0.0, 0, 0, 10]), "<i>": np.full(4, np.nan)}


def page(**changed: object) -> str:
    given = {
        "name": "walk",
        "times": TIMES,
        "angles": {"knee_angle_r": TIMES, "knee_angle_l": TIMES},
        "lengths": {"pelvis_ty": np.array([0.9, 0.95, 1.0, 0.9])},
        "errors": ERRORS,
        "report": REPORT,
        **changed,
    }
    return ik_report(**given)  # type: ignore[arg-type]


def cells(text: str, name: str) -> list[str]:
    row = re.search(rf"<tr><td>{name}</td>(.*?)</tr>", text)
    assert row is not None
    return re.findall(r"<td[^>]*>([^<]*)</td>", row[1])


def test_markers_have_their_errors_the_worst_first() -> None:
    """sqrt((9 + 16) / 2) = 3.5 over the half of the frames that show it; sqrt(100 / 4) = 5."""
    text = page()
    assert cells(text, "RKNE") == ["3.5", "4.0", "50 %"]
    assert cells(text, "C7") == ["5.0", "10.0", "100 %"]
    assert text.index("<td>C7") < text.index("<td>RKNE")
    assert "&lt;i&gt;" not in text  # never seen
    assert "nan" not in text


def test_coordinates_limits_factors_and_notes_are_there() -> None:
    text = page()
    assert text.count("<svg") == 1 + 1 + 1 + 2  # knees, pelvis_ty, all markers, each marker
    assert cells(text, "arm add l") == ["50.0 %"]
    assert text.index("<td>arm add l") < text.index("<td>knee angle r")
    assert cells(text, "femur_r") == ["1.000", "1.100", "1.000"]
    assert "left out: &lt;b&gt;" in text
    assert ">95<" in text  # centimetres
    assert "<script" not in page(name="<script>")


def test_without_markers_limits_and_scaling_it_says_so() -> None:
    bare = {**REPORT, "at_a_limit": {}, "scales": {"femur_r": [1.0, 1.0, 1.0]}, "notes": []}
    text = page(errors={}, angles={}, lengths={}, report=bare)
    assert "<svg" not in text
    assert "None stands at the end" in text
    assert "taken as it is" in text


def test_other_lengths_are_refused() -> None:
    with pytest.raises(UserError, match=r"RKNE of shape \(4,\)"):
        page(errors={"RKNE": np.zeros(3)})
