"""Ties of scale factors."""

from dataclasses import replace

import pytest
import torch
from person_made import angle, hinge, papers_groups, papers_person, root, small_person

from rehabmotion.biomech.description import Body, Frame, Model, Step
from rehabmotion.errors import UserError
from rehabmotion.io.osim_models import open_osim
from rehabmotion.models.direct.scales import other_side, ties_by_hand, ties_of


def test_rehab37_has_a_length_and_a_width_for_twelve_segments() -> None:
    """Kneecaps go with shanks, heels and toes with feet, ulnae and hands (locked wrists) with forearms."""
    model = open_osim("rehab37")
    ties = ties_of(model)
    assert len(ties.names) == 24
    row = {body.name: ties.index[i] for i, body in enumerate(model.bodies)}
    names = {body: tuple(ties.names[k] for k in cells) for body, cells in row.items()}
    assert names["femur_r"] == ("femur_r width", "femur_r length", "femur_r width")
    assert names["pelvis"] == ("pelvis width", "pelvis width", "pelvis length")  # widest from hip to hip
    assert names["toes_l"] == names["talus_l"] == ("calcn_l length", "calcn_l width", "calcn_l width")
    assert row["patella_r"] == row["tibia_r"]
    assert row["ulna_l"] == row["radius_l"] == row["hand_l"]
    assert not set(row["femur_r"]) & set(row["femur_l"])


def test_sides_are_pairs() -> None:
    model = open_osim("rehab37")
    ties = ties_of(model)
    pairs = {(ties.names[a], ties.names[b]) for a, b in ties.pairs([b.name for b in model.bodies])}
    assert len(pairs) == 10
    assert ("femur_r length", "femur_l length") in pairs


def test_axes_are_matched_where_frames_differ() -> None:
    """A welded body turned by a quarter about z: its x lies along the other's y."""
    model = small_person()
    start = Frame("shank_r", (Step((0.0, -0.4, 0.0), (0.0, 0.0, 1.5707963)),))
    joints = [replace(j, parent=start) if j.name == "ankle_r" else j for j in model.joints]
    ties = ties_of(Model("turned", model.bodies, tuple(joints)))
    shank, foot = (ties.index[[b.name for b in model.bodies].index(n)] for n in ("shank_r", "foot_r"))
    assert foot == (shank[1], shank[0], shank[2])


def test_spreading_and_gathering_come_back() -> None:
    ties = ties_of(small_person())
    tied = torch.rand(4, 5, len(ties.names), dtype=torch.float64)
    scales = ties.spread(tied)
    assert scales.shape == (4, 5, 8, 3)
    torch.testing.assert_close(ties.gather(scales), tied)
    for bad in (tied[..., 1:], tied[..., :1]):
        with pytest.raises(UserError, match="tied scale factors"):
            ties.spread(bad)
    with pytest.raises(UserError, match="scale factors"):
        ties.gather(scales[..., :2])


def test_groups_by_hand_give_the_papers_number() -> None:
    model = papers_person()
    ties = ties_by_hand(model, papers_groups())
    assert len(ties.names) == 51
    assert ties.index[17] == (0, 1, 2)  # the 52nd axis begins again


def test_groups_that_do_not_fit_are_refused() -> None:
    model = small_person()
    every = [f"{b.name}.{a}" for b in model.bodies for a in "xyz"]
    for groups, message in (
        ([("all", every[1:])], "pelvis.x.* is in none"),
        ([("all", every), ("more", [every[0]])], "in one group"),
        ([("all", [*every, "tail.x"])], '"tail.x"'),
        ([("all", every[:3]), ("all", every[3:])], "other names"),
        ([("none", [])], "empty"),
    ):
        with pytest.raises(UserError, match=message):
            ties_by_hand(model, groups)


def test_a_chain_of_short_bodies_is_one_segment() -> None:
    """Vertebrae 4 cm apart share the size of what they carry."""
    bodies = tuple(Body(n) for n in ("pelvis", "v1", "v2", "chest"))
    joints = [root()]
    for a, b in (("pelvis", "v1"), ("v1", "v2"), ("v2", "chest")):
        joints.append(hinge(b, a, b, (0.0, 0.2 if a == "pelvis" else 0.04, 0.0), angle(f"q_{b}")))
    ties = ties_of(Model("spine", bodies, tuple(joints)))
    assert len(ties.names) == 4
    assert ties.index[1] == ties.index[2] == ties.index[3]


def test_other_sides() -> None:
    assert other_side("hip_r", ["hip_r", "hip_l"]) == "hip_l"
    assert other_side("elbow", ["elbow", "elbow_l"]) == "elbow_l"
    assert other_side("elbow_l", ["elbow", "elbow_l"]) == "elbow"
    assert other_side("turn", ["turn", "turn_r", "turn_l"]) == "turn"
    assert other_side("alone_r", ["alone_r"]) == "alone_r"
