"""Known BVH skeletons lead to the canonical joints; others are refused by name."""

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.io.bvh_names import BVH_MAPS, bvh_joint_map
from rehabmotion.motion import CANONICAL


@pytest.mark.parametrize("kind", BVH_MAPS)
def test_every_map_reaches_all_joints_with_weights_of_one(kind: str) -> None:
    joint_map = BVH_MAPS[kind]
    assert set(joint_map) == set(CANONICAL.joint_names)
    for sources in joint_map.values():
        assert np.isclose(sum(sources.values()), 1.0)


@pytest.mark.parametrize("kind", BVH_MAPS)
def test_a_skeleton_is_known_by_its_names(kind: str) -> None:
    names = {source for sources in BVH_MAPS[kind].values() for source in sources}
    assert bvh_joint_map([*names, "Something_else"]) == BVH_MAPS[kind]


def test_a_prefix_is_kept_in_the_source_names() -> None:
    names = {f"mixamorig:{source}" for sources in BVH_MAPS["mixamo"].values() for source in sources}
    joint_map = bvh_joint_map(names)
    assert joint_map["left_knee"] == {"mixamorig:LeftLeg": 1.0}
    assert joint_map["spine1"] == {"mixamorig:Hips": 0.4, "mixamorig:Spine": 0.6}


def test_a_part_of_our_own_names_will_do() -> None:
    """A file without feet: what it lacks is left out, so it comes out masked."""
    joint_map = bvh_joint_map(["left_hip", "right_hip", "pelvis", "neck", "tail"])
    assert joint_map == {name: {name: 1.0} for name in ("pelvis", "left_hip", "right_hip", "neck")}


def test_an_unknown_skeleton_is_told_what_it_lacks() -> None:
    names = {source for sources in BVH_MAPS["cmu"].values() for source in sources}
    with pytest.raises(UserError, match="cmu, lacks LeftForeArm"):
        bvh_joint_map(names - {"LeftForeArm"})
    with pytest.raises(UserError, match="lacks"):
        bvh_joint_map([])
