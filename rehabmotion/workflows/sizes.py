"""The sizes a model can be trained in, from a smoke test to the published one."""

from __future__ import annotations

from dataclasses import dataclass

from rehabmotion.errors import UserError


@dataclass(frozen=True)
class Size:
    """One dial: width, depth, length of training. `features` names the representation."""

    d: int
    layers: int
    heads: int
    steps: int
    batch_size: int
    text_steps: int
    d_text: int = 128
    n_frames: int = 64
    patch: int = 4
    features: str = "canonical"
    learning_rate: float = 1e-3
    ema: float = 0.999
    sampling_steps: int | None = None  # None: as the family has it
    observes: bool = True


SIZES = {
    "smoke": Size(32, 2, 2, steps=40, batch_size=16, text_steps=40, d_text=32),
    "small": Size(128, 4, 4, steps=4_000, batch_size=64, text_steps=1000),
    "base": Size(128, 4, 4, steps=16_000, batch_size=64, text_steps=2000),
    # MDM as published (Tevet et al. 2023): 8 layers, d 512, 263 features at 20 fps up to 196 frames, 600 k steps of 64
    "paper": Size(
        512,
        8,
        4,
        steps=600_000,
        batch_size=64,
        text_steps=2500,
        n_frames=196,
        patch=1,
        features="humanml3d",
        learning_rate=1e-4,
        ema=0.9999,
        sampling_steps=1000,
        observes=False,
    ),
}


def size(name: str) -> Size:
    """Return a size by name; unknown names raise UserError."""
    if name not in SIZES:
        raise UserError(f'Expected a size, got "{name}". Known: {", ".join(SIZES)}.')
    return SIZES[name]
