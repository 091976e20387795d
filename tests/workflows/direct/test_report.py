"""The words follow the numbers."""

from rehabmotion.workflows.direct.plan import BASE, FULL, STEPWISE, plan
from rehabmotion.workflows.direct.report import CONSTANT, judged, page, parts_of, spelled, verdicts

PEOPLE = ["s06", "s06", "s08", "s08"]
KEYS = ("joint_mm", "marker_mm", "angle_deg", "root_deg", "scale_percent", "jitter_deg", "angle:knee_angle_r")


def clips(*values: float) -> dict:
    return {key: list(values) for key in KEYS}


def test_a_claim_holds_fails_or_is_not_shown() -> None:
    assert judged({"value": -1.0, "ci": [-1.5, -0.5]}, "angle_deg") == "holds (1.00 deg less, -1.50 to -0.50)."
    assert judged({"value": 1.0, "ci": [0.5, 1.5]}, "marker_mm").startswith("does not hold, the contrary does (1.00 mm")
    assert judged({"value": -0.1, "ci": [-0.5, 0.4]}, "angle_deg").startswith("not shown")
    assert judged({"value": None, "ci": None}, "angle_deg") == "not measured."
    assert spelled({"value": None, "ci": None}) == spelled(None) == ""


def results() -> tuple[list, dict]:
    runs = [r for r in plan(FULL) if r.name in (BASE, STEPWISE, "sequence", "tcn")]
    cost = {"parameters": 1000, "fps": 50.0}
    done = {
        BASE: {"clips": clips(10, 12, 14, 16), **cost},
        STEPWISE: {"clips": clips(9, 11, 13, 15), "before": {"joint_mm": [1.0] * 4, "marker_mm": [2.0] * 4}, **cost},
        "sequence": {"clips": clips(8, 10, 12, 14.5), **cost},
        "tcn": {"clips": clips(13, 13, 13, 13), **cost},
    }
    return runs, done


def test_what_beats_what_is_said_from_the_numbers() -> None:
    runs, done = results()
    said = "\n".join(verdicts(runs, done, clips(30, 30, 30, 30), PEOPLE))
    assert "the training mean: holds" in said
    assert "A sequence is better than single frames, in angles: holds" in said
    assert "One network for the angles is better than several steps: does not hold, the contrary does" in said
    assert "Of 2 pairs of backbone and sequence network 1 are better" in said
    assert "Euler" not in said  # that run is not there


def test_the_page_has_the_published_figures_marked_and_every_run() -> None:
    runs, done = results()
    constant = clips(30, 30, 30, 30)
    parts = parts_of(runs, done, constant, PEOPLE)
    text = page(
        {"frames": {"training": 5, "held out": 4}, "intervals": "of clips", "parts": parts, "plan": [],
         "verdicts": verdicts(runs, done, constant, PEOPLE)}
    )  # fmt: skip
    for part in (CONSTANT, STEPWISE, "3.54", "5.44", "BML-MoVi", "knee_angle_r", "## Sequence networks"):
        assert part in text
    assert parts["sequences"]["tcn"]["beside"]["run"] == "sequence"
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in lines)
