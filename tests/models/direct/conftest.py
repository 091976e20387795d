"""A small person and what is asked of it."""

import pytest
import torch
from person_made import small_person

from rehabmotion.biomech.description import Model
from rehabmotion.models.direct.layer import SkeletalLayer
from rehabmotion.models.direct.targets import Targets, TargetsConfig, targets_of

torch.set_num_threads(1)


@pytest.fixture
def person() -> Model:
    """A symmetric person of eight bodies."""
    return small_person()


@pytest.fixture
def targets(person: Model) -> Targets:
    """What is asked of the small person; its toes count as joints."""
    return targets_of(TargetsConfig(ends=("toe_r", "toe_l")), person)


@pytest.fixture
def layer(targets: Targets) -> SkeletalLayer:
    """Its skeletal layer, in double precision."""
    return SkeletalLayer(targets, torch.float64)
