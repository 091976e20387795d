"""Configurations: kept as JSON, and what does not belong to one refused."""

import json
import math
from typing import Any

import pytest

from rehabmotion.errors import UserError
from rehabmotion.models.direct.losses import LossConfig
from rehabmotion.models.direct.network import FrameConfig, SequenceConfig
from rehabmotion.models.direct.settings import Settings
from rehabmotion.models.direct.targets import TargetsConfig

CONFIGS = [
    FrameConfig(TargetsConfig(ends=("a", "b"), scale_groups=(("all", ("x.y", "x.z")),)), "vit", 0.5, image=64),
    SequenceConfig(TargetsConfig(scale_low=(0.5, 0.6)), "tcn", causal=True, width=2),
    LossConfig(angle=0.01, norm="l2"),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: type(c).__name__)
def test_json_comes_back(config: Settings) -> None:
    kept = json.dumps(config.as_json())
    assert type(config).from_json(json.loads(kept)) == config
    assert type(config).from_json({}) == type(config)()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"backbon": "vit"}, 'Unknown key "backbon" in FrameConfig. Did you mean "backbone"?'),
        ({"targets": {"marker": ["a"]}}, 'Unknown key "marker" in TargetsConfig. Did you mean "markers"?'),
        ({"targets": None}, "settings of a TargetsConfig"),
        ({"backbone": "resnet"}, 'Expected a backbone, got "resnet"'),
        ({"backbone": ["vit"]}, "FrameConfig.backbone to be a value like"),
        ({"head": "sigmoid"}, 'Expected a head, got "sigmoid"'),
        ({"root": "quaternion"}, 'Expected a root, got "quaternion"'),
        ({"width": 0}, "Expected width from 0.05 to 4"),
        ({"width": math.nan}, "FrameConfig.width to be a value like"),
        ({"width": True}, "FrameConfig.width to be a value like"),
        ({"depth": 1e9}, "Expected depth from 0.05 to 4"),
        ({"image": 256.0}, "FrameConfig.image to be a value like"),
        ({"image": 100}, "multiple of 32"),
        ({"image": 10**9}, "Expected image from 64 to 1024"),
        ({"centre": 1}, "FrameConfig.centre to be a value like"),
        ([], "Expected the settings"),
        (None, "Expected the settings"),
    ],
)
def test_what_does_not_belong_is_refused(data: Any, message: str) -> None:
    with pytest.raises(UserError) as error:
        FrameConfig.from_json(data)
    assert message in str(error.value)


@pytest.mark.parametrize("data", [{"frames": 0}, {"frames": 10**6}, {"sequence": "gru"}, {"causal": "no"}])
def test_sequence_settings_that_make_no_network_are_refused(data: Any) -> None:
    with pytest.raises(UserError, match="Expected"):
        SequenceConfig.from_json(data)


def test_the_defaults_are_the_papers() -> None:
    frame, sequence, loss = FrameConfig(), SequenceConfig(), LossConfig()
    assert (frame.backbone, frame.centre, frame.head, frame.root, frame.image) == (
        "resnext50",
        True,
        "bounded",
        "sixd",
        256,
    )
    assert (sequence.sequence, sequence.frames, sequence.causal) == ("strided_transformer", 243, False)
    assert (loss.marker, loss.joint, loss.scale, loss.angle, loss.quadratic) == (2.0, 1.0, 0.1, 0.06, 0.1)
