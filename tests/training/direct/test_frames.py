"""Batches of labelled frames: windows within clips, draws by seed, labels that move with the picture."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from rehabmotion.errors import UserError
from rehabmotion.models.direct.losses import Labels
from rehabmotion.training.direct.frames import (
    Augment,
    ClipBatches,
    FrameBatches,
    Frames,
    RowBatches,
    labels_at,
    windows_of,
)

PLAIN = Augment(view=False, colours=False, occlusion=0.0)


def made(n: int = 8, size: int = 32) -> Frames:
    """Return frames of two clips, each frame's pictures and angles its number."""
    number = torch.arange(n)
    yes = torch.ones(n, 2, dtype=torch.bool)
    places = torch.zeros(n, 2, 3)
    places[:, 1, 0] = 1.0
    labels = Labels(
        torch.eye(3).expand(n, 3, 3), torch.ones(n, 4, 3), number[:, None].float().expand(n, 2), yes, places, yes,
        places, yes,
    )  # fmt: skip
    images = number.to(torch.uint8)[:, None, None, None].expand(n, 3, size, size)
    middle = torch.full((n, 2, 2), size / 2)
    clip = torch.tensor([0] * 3 + [1] * (n - 3))
    return Frames(images, labels, middle, middle, torch.full((n,), 50.0), clip)


def test_windows_stay_in_their_clip_and_repeat_its_edges() -> None:
    clip = torch.tensor([0, 0, 0, 5, 5])
    assert windows_of(clip, 3).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2], [3, 3, 4], [3, 4, 4]]
    assert windows_of(clip, 3, causal=True).tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [3, 3, 3], [3, 3, 4]]
    assert windows_of(clip, 9)[2].tolist() == [0, 0, 0, 1, 2, 2, 2, 2, 2]


def test_pictures_and_labels_of_a_batch_belong_together() -> None:
    frames = made()
    batch = FrameBatches(frames, PLAIN).draw(None, 0, 6)
    numbers = (255 * batch.images[:, 0, 0, 0]).round()
    torch.testing.assert_close(numbers, batch.labels.coordinates[:, 0])
    clip = ClipBatches(frames, 3, augment=PLAIN).draw(None, 0, 6)
    torch.testing.assert_close((255 * clip.images[..., 0, 0, 0]).round(), clip.labels.coordinates[..., 0])
    rows = torch.stack([torch.arange(8.0), 100 + torch.arange(8.0)])[..., None]
    seen = RowBatches(rows, frames, 3).draw(None, 0, 64)
    torch.testing.assert_close(seen.rows[..., 0] % 100, seen.labels.coordinates[..., 0])
    assert set((seen.rows[:, 1, 0] >= 100).tolist()) == {True, False}
    assert ((seen.rows[..., 0] >= 100).sum(dim=1) % 3 == 0).all()  # a window is seen in one way


@pytest.mark.parametrize("augment", [PLAIN, Augment()])
def test_a_draw_follows_from_its_step_alone(augment: Augment) -> None:
    maker = FrameBatches(made(), augment, seed=3)
    one, again, other = maker.draw(None, 5, 4), maker.draw(None, 5, 4), maker.draw(None, 6, 4)
    assert torch.equal(one.images, again.images)
    for field in fields(Labels):
        assert torch.equal(getattr(one.labels, field.name), getattr(again.labels, field.name))
    assert not torch.equal(one.images, other.images)


def test_another_view_turns_root_and_places_alike_and_hides_what_leaves_the_picture() -> None:
    frames = made()
    batch = FrameBatches(frames, Augment(colours=False, occlusion=0.0)).draw(None, 0, 8)
    across = torch.tensor([1.0, 0.0, 0.0])
    torch.testing.assert_close(batch.labels.joints[:, 1], batch.labels.root @ across)
    assert not torch.equal(batch.labels.root, torch.eye(3).expand(8, 3, 3))
    assert batch.labels.joint_mask.all()
    gone = replace(frames, joint_pixels=torch.full_like(frames.joint_pixels, -1000.0))
    assert not FrameBatches(gone, Augment()).draw(None, 0, 8).labels.joint_mask.any()


def test_fixed_batches_are_as_they_are() -> None:
    frames, rows = made(), np.array([4, 1])
    batch = FrameBatches(frames).fixed(None, rows, 0)
    assert batch.labels.coordinates[:, 0].tolist() == [4, 1]
    assert RowBatches(torch.zeros(1, 8, 5), frames, 3).fixed(None, rows, 0).rows.shape == (2, 3, 5)
    assert ClipBatches(frames, 3).fixed(None, rows, 0).images.shape == (2, 3, 3, 32, 32)
    assert labels_at(frames.labels, torch.zeros(2, 3, dtype=torch.long)).joints.shape == (2, 3, 2, 3)


def test_no_frames_mixed_clips_and_rows_of_others_are_refused() -> None:
    frames = made()
    with pytest.raises(UserError, match="clips mixed"):
        replace(frames, clip=torch.tensor([0, 1, 0, 1, 0, 1, 0, 1]))
    with pytest.raises(UserError, match="got none"):
        replace(frames, images=frames.images[:0])
    with pytest.raises(UserError, match="rows of 8 frames, got 7"):
        RowBatches(torch.zeros(1, 7, 5), frames, 3)
