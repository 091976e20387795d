"""Score scales: ranges, levels, spelling."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehabmotion.errors import UserError
from rehabmotion.motion import SCALES, Score

CONTINUOUS = [name for name, scale in SCALES.items() if not scale.levels]


def test_the_scales_are_these() -> None:
    ranges = {name: (scale.low, scale.high, scale.levels) for name, scale in SCALES.items()}
    assert ranges == {
        "fms": (1, 3, (1, 2, 3)),
        "kimore": (0, 100, ()),
        "kimore_ts": (0, 50, ()),
        "uiprmd": (0, 1, (0, 1)),
        "sim": (0, 100, ()),
    }


@pytest.mark.parametrize("name", SCALES)
def test_every_scale_runs_from_worst_0_to_best_1(name: str) -> None:
    scale = SCALES[name]
    assert (Score(name, scale.low).unit, Score(name, scale.high).unit) == (0.0, 1.0)
    assert scale.direction == "higher is better"


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("beside", [-0.01, -math.inf, math.inf, math.nan])
def test_outside_the_range_is_refused_and_the_range_is_named(name: str, beside: float) -> None:
    scale = SCALES[name]
    value = scale.high - beside if math.isfinite(beside) else beside
    with pytest.raises(UserError) as caught:
        Score(name, value)
    assert f"{name}:{scale.spelled_range}" in str(caught.value)


def test_the_middle_of_each_scale() -> None:
    units = [Score("fms", 2).unit, Score("kimore", 25).unit, Score("kimore_ts", 25).unit, Score("sim", 80).unit]
    assert units == [0.5, 0.25, 0.5, 0.8]


@pytest.mark.parametrize(("scale", "value"), [("fms", 1.5), ("fms", 2.0001), ("uiprmd", 0.5)])
def test_between_the_levels_there_is_nothing(scale: str, value: float) -> None:
    with pytest.raises(UserError, match="one of"):
        Score(scale, value)


def test_grade_0_is_refused_with_the_reason() -> None:
    with pytest.raises(UserError, match="pain, which motion does not show"):
        Score("fms", 0)
    with pytest.raises(UserError, match="pain"):
        Score.parse("fms:0")


def test_an_unknown_scale_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(UserError, match=r"berg.*fms:1\.\.3.*uiprmd:0\|1"):
        Score("berg", 50)


@pytest.mark.parametrize("text", ["", "fms", "fms:", ":2", "2", "fms=2", "fms:two", "fms:nan", "fms:2:3", "a\nb"])
def test_what_is_no_score_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError) as caught:
        Score.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["fms:3", "uiprmd:0", "kimore:71.5", "kimore_ts:50", "sim:0"])
def test_spelling_a_score_gives_the_text_back(text: str) -> None:
    assert str(Score.parse(text)) == text


@given(st.sampled_from(CONTINUOUS), st.floats(0, 1))
def test_unit_is_linear_and_stays_inside_0_and_1(name: str, share: float) -> None:
    scale = SCALES[name]
    score = Score(name, scale.low + share * (scale.high - scale.low))
    assert 0 <= score.unit <= 1
    assert score.unit == pytest.approx(share, abs=1e-12)


@given(st.text(max_size=20))
def test_any_text_is_a_score_or_a_user_error(text: str) -> None:
    said = ""
    try:
        said = Score.parse(text).scale
    except UserError as error:
        said = str(error)
    assert len(said.splitlines()) == 1


def test_json_keeps_the_raw_value_the_range_and_the_direction() -> None:
    assert Score("kimore", 42.5).as_json() == {
        "scale": "kimore",
        "value": 42.5,
        "range": [0, 100],
        "direction": "higher is better",
    }
