"""The evaluator: text and motion in one space, and features of motion for FID, KID and their like.

Two encoders are trained to bring a clip and its captions together (Guo et al. 2022 with GRUs, Petrovich et al. 2023
with transformers), all points of length 1. Beside that, the features must tell the poses, range, roughness, duration
and score of the clip: contrast alone would forget all that does not name the exercise, noise and frozen poses among it.
It shares no weights with any generator, and its motion input is another: bone directions, so that body size gives
nothing away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.models.evaluator_gru import GruMotion, GruText
from rehabmotion.models.evaluator_input import (
    N_CHANNELS,
    N_INPUTS,
    N_PARTS,
    HashedWords,
    hashed_words,
    parts_of,
    read_clips,
    words_config,
)
from rehabmotion.models.evaluator_losses import info_nce, masked_error
from rehabmotion.models.evaluator_transformer import PATCH, TransformerMotion, TransformerText
from rehabmotion.models.trainable import Draws, Trainable
from rehabmotion.motion import SCALES, Motion

VARIANTS: dict[str, tuple[Any, Any]] = {  # motion encoder, text encoder
    "gru": (GruMotion, GruText),
    "transformer": (TransformerMotion, TransformerText),
}
N_POSES = 16  # of the clip that the features must tell
CHUNK = 64  # clips or texts embedded at once


@dataclass(frozen=True)
class EvaluatorConfig:
    """The resolved configuration of an evaluator; kept as JSON beside its weights. mean, std (66,): of the channels."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    scales: tuple[str, ...]  # the score scales that its features were asked for in training
    variant: str = "transformer"
    n_frames: int = 64
    d: int = 96
    layers: int = 3
    heads: int = 4
    d_text: int = 64
    text_layers: int = 1
    buckets: int = 4096
    d_features: int = 128
    d_space: int = 64
    n_principal: int = 16
    dropout: float = 0.1
    told_weight: float = 1.0
    score_weight: float = 0.5

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> EvaluatorConfig:
        """Return the configuration kept by as_json(); unknown keys and sizes of no evaluator raise UserError."""
        known = set(cls.__dataclass_fields__)
        unknown = sorted(set(data) - known)
        if unknown:
            raise UserError(f"Unknown key {unknown[0]!r} in EvaluatorConfig. Known keys: {', '.join(sorted(known))}.")
        try:
            plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
            config = cls(**plain)
            config._check()
        except (TypeError, AttributeError) as error:
            raise UserError(f"Expected the configuration of an evaluator, it does not fit ({error}).") from None
        return config

    def _check(self) -> None:
        if self.variant not in VARIANTS:
            raise UserError(f"Expected the variant {' or '.join(VARIANTS)}, got {self.variant!r}.")
        for name in (f.name for f in fields(self) if f.type == "int"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise UserError(f"Expected {name} of 1 or more, got {value!r}.")
        if not np.isfinite([*self.mean, *self.std, self.dropout, self.told_weight, self.score_weight]).all():
            raise UserError("Expected finite numbers for mean, std, dropout and weights, got others.")
        wrong = {
            "mean and std": (len(self.mean) != N_CHANNELS or len(self.std) != N_CHANNELS or min(self.std) <= 0),
            "heads that divide the width": bool(self.d % self.heads or self.d_text % self.heads),
            f"frames in fours, {N_POSES} or more": bool(self.n_frames % N_POSES or self.n_frames % PATCH),
            "principal components among the features": self.n_principal > self.d_features,
            "known score scales": not set(self.scales) <= set(SCALES),
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                raise UserError(f"Expected parts of one evaluator, got others than {name}.")


@dataclass
class EvaluatorBatch:
    """Training clips and a caption of each.

    positions (B, T, 22, 3) over body size, valid (B, T, 22), seconds (B,); rows (B, W, 2 + G) of hashed words; group
    (B,): what is done; side (B,) of the clip and `said` (B,) by the caption: 0 none, 1 left, 2 right; whole (B,): not
    spoilt on purpose; unit and scored (B, S): scores on 0..1 by scale, and which there are.
    """

    positions: Tensor
    valid: Tensor
    seconds: Tensor
    rows: Tensor
    group: Tensor
    side: Tensor
    said: Tensor
    whole: Tensor
    unit: Tensor
    scored: Tensor

    @property
    def positive(self) -> Tensor:
        """Which captions (rows) describe which clips (columns), (B, B): the same exercise, and the side if told."""
        same = self.group[:, None] == self.group
        return same & ((self.said[:, None] == 0) | (self.said[:, None] == self.side))


class Evaluator(Trainable):
    """Motions -> features and points of the common space; texts -> points of the common space."""

    kind = "evaluator"
    mean: Tensor  # (66,) and std (66,) of the channels
    std: Tensor
    centre: Tensor  # (D,) of the training people's features, their principal axes (P, D) and deviations along these
    axes: Tensor
    spread: Tensor

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.config = c = config
        motion, text = VARIANTS[c.variant]
        self.hashing = words_config(c.d_text, c.buckets)
        self.words = HashedWords(self.hashing)
        self.text = text(c.d_text, self.hashing.max_words, c.text_layers, c.heads, c.dropout)
        self.motion = motion(N_INPUTS, c.n_frames, c.d, c.layers, c.heads, c.dropout)
        self.to_features = nn.Linear(self.motion.width, c.d_features)
        self.motion_head = _head(c.d_features, 2 * c.d_space, c.d_space, c.dropout)
        self.text_head = _head(self.text.width, 2 * c.d_space, c.d_space, c.dropout)
        self.told_poses = _head(c.d_features, 2 * c.d_features, N_POSES * N_CHANNELS, c.dropout)
        self.told_kinematics = nn.Linear(c.d_features, 2 * N_PARTS + 1)
        self.told_score = _head(c.d_features, c.d_features, max(1, len(c.scales)), c.dropout)
        self.register_buffer("mean", torch.tensor(c.mean), persistent=False)
        self.register_buffer("std", torch.tensor(c.std), persistent=False)
        self.register_buffer("centre", torch.zeros(c.d_features))
        self.register_buffer("axes", torch.eye(c.n_principal, c.d_features))
        self.register_buffer("spread", torch.ones(c.n_principal))

    def forward(self, positions: Tensor, valid: Tensor, seconds: Tensor) -> tuple[Tensor, Tensor]:
        """Return points (B, d_space) and features (B, D) of clips (B, T, 22, 3), masks (B, T, 22), seconds (B,)."""
        features = self.to_features(self.motion(self._inputs(*parts_of(positions, valid), seconds)))
        return F.normalize(self.motion_head(features), dim=-1), features

    def _inputs(self, parts: Tensor, seen: Tensor, seconds: Tensor) -> Tensor:
        x = (parts.flatten(2) - self.mean) / self.std
        x = torch.where(seen.repeat_interleave(3, dim=-1), x, torch.zeros_like(x))
        lasts = seconds.clamp(min=1e-3).log()[:, None, None].expand(-1, x.shape[1], 1)
        return torch.cat([x, seen.float(), lasts], dim=-1)

    def read(self, rows: Tensor) -> Tensor:
        """Return the points (B, d_space) of hashed words (B, W, 2 + G)."""
        return F.normalize(self.text_head(self.text(*self.words(rows))), dim=-1)

    # --- training -----------------------------------------------------------------------------------------------

    def loss(self, batch: EvaluatorBatch, draws: Draws, player: str = "model") -> dict[str, Tensor]:
        """Return the losses of a batch, scalars: total, contrast, poses, kinematics, score."""
        points, features = self(batch.positions, batch.valid, batch.seconds)
        whole = batch.whole
        out = {"contrast": info_nce(self.read(batch.rows)[whole], points[whole], batch.positive[whole][:, whole])}
        parts, seen = parts_of(batch.positions, batch.valid)
        out["poses"] = self._poses_loss(features, parts, seen)
        target, known = kinematics(parts, seen, batch.seconds)
        out["kinematics"] = masked_error(self.told_kinematics(features), target, known)
        out["score"] = masked_error(self.told_score(features).sigmoid(), batch.unit, batch.scored & whole[:, None])
        c = self.config
        told = out["poses"] + out["kinematics"]
        return {"total": out["contrast"] + c.told_weight * told + c.score_weight * 10.0 * out["score"], **out}

    def _poses_loss(self, features: Tensor, parts: Tensor, seen: Tensor) -> Tensor:
        """Squared error of the clip at N_POSES poses, each the mean of its frames, in deviations of the channels."""
        x = ((parts.flatten(2) - self.mean) / self.std).unflatten(1, (N_POSES, -1)).mean(dim=2)
        known = seen.unflatten(1, (N_POSES, -1)).all(dim=2).repeat_interleave(3, dim=-1)
        return masked_error(self.told_poses(features).view_as(x), x, known)

    @torch.no_grad()
    def fit_principal(self, features: Tensor) -> None:
        """Learn the principal axes of the features (N, D) of training people, and the deviations along them."""
        x = features.double()
        centre = x.mean(dim=0)
        _, values, axes = torch.linalg.svd(x - centre, full_matrices=False)
        n = min(len(axes), self.config.n_principal)
        signs = torch.sign(axes[:n].gather(1, axes[:n].abs().argmax(dim=1, keepdim=True)))  # one sign on any machine
        self.centre.copy_(centre)
        self.axes[:n] = (signs * axes[:n]).float()
        self.spread[:n] = (values[:n] / max(len(x) - 1, 1) ** 0.5).clamp(min=1e-6).float()

    # --- use ----------------------------------------------------------------------------------------------------

    def features(self, motions: Sequence[Motion]) -> NDArray[np.float32]:
        """Return (N, 16): principal components of the features, in deviations of the training people."""
        x = torch.from_numpy(self.full_features(motions)) - self.centre.cpu()
        return ((x @ self.axes.cpu().T) / self.spread.cpu()).numpy()

    def full_features(self, motions: Sequence[Motion]) -> NDArray[np.float32]:
        """Return the features (N, D) as the network gives them."""
        return np.concatenate([features.cpu().numpy() for _, features in self._passes(motions)])

    def embed_motions(self, motions: Sequence[Motion]) -> NDArray[np.float32]:
        """Return the points (N, d_space) of canonical motions, to be compared with those of texts by distance."""
        return np.concatenate([points.cpu().numpy() for points, _ in self._passes(motions)])

    @torch.no_grad()
    def _passes(self, motions: Sequence[Motion]) -> Iterator[tuple[Tensor, Tensor]]:
        self.eval()
        clips, device = read_clips(motions, self.config.n_frames), self.mean.device
        arrays = [torch.from_numpy(a).to(device) for a in (clips.positions, clips.valid, clips.seconds)]
        for first in range(0, len(clips), CHUNK):
            yield self(*(a[first : first + CHUNK] for a in arrays))

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the points (N, d_space) of texts."""
        self.eval()
        chunks = [texts[first : first + CHUNK] for first in range(0, len(texts), CHUNK)]
        if not chunks:
            raise UserError("Expected at least one text, got none.")
        device = self.mean.device
        return np.concatenate(
            [self.read(hashed_words(chunk, self.hashing).to(device)).cpu().numpy() for chunk in chunks]
        )


def kinematics(parts: Tensor, seen: Tensor, seconds: Tensor) -> tuple[Tensor, Tensor]:
    """Return what is told of a clip's movement (B, 45), and which of it is known.

    For each of the 22 parts the logarithms of its range (RMS about its mean) and of its roughness (RMS second
    difference), and ln seconds. Below 0.02 of range and 0.003 of roughness, all is rest.
    """

    def log_rms(x: Tensor, rest: float) -> Tensor:
        return (x.square().sum(dim=-1).mean(dim=1) + rest**2).sqrt().log()

    moved = log_rms(parts - parts.mean(dim=1, keepdim=True), 0.02)
    rough = log_rms(parts.diff(n=2, dim=1), 0.003)
    known = seen.all(dim=1)
    told = torch.cat([moved, rough, seconds.clamp(min=1e-3).log()[:, None]], dim=-1)
    return told, torch.cat([known, known, torch.ones_like(known[:, :1])], dim=-1)


def _head(n_in: int, n_hidden: int, n_out: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(n_in, n_hidden), nn.LayerNorm(n_hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(n_hidden, n_out)
    )
