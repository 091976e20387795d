"""What the evaluator reads: bone directions over a clip's own time, and hashed words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.geometry.signal import fill_gaps
from rehabmotion.models.text import TextConfig, hash_texts
from rehabmotion.motion import CANONICAL, Motion

N_PARTS = len(CANONICAL)  # the pelvis' place, and the bone above each other joint
N_CHANNELS = 3 * N_PARTS
N_INPUTS = N_CHANNELS + N_PARTS + 1  # values, their mask, ln seconds
_PARENTS, _JOINTS = (list(side) for side in zip(*CANONICAL.bones, strict=True))
# bones from ankle to neck in a standing adult (docs/conventions.md), metres: what is missing is filled in proportion
_USUAL = {"ankle": 0.40, "knee": 0.40, "spine1": 0.10, "spine2": 0.15, "spine3": 0.05, "neck": 0.20}
_CHAIN = [name for part in _USUAL for name in (part, f"left_{part}", f"right_{part}") if name in CANONICAL.joint_names]
_CHAIN_JOINTS = CANONICAL.indices(*_CHAIN)
_CHAIN_PARENTS = [CANONICAL.parents[joint] for joint in _CHAIN_JOINTS]
_CHAIN_SHARES = np.array([0.5 if "_" in name else 1.0 for name in _CHAIN])  # two legs, one spine
_CHAIN_USUAL = _CHAIN_SHARES * [_USUAL[name.split("_")[-1]] for name in _CHAIN]
# drop-out of whole words and word pairs, and of single n-grams: unknown words must be survived
_DROP_WORD, _DROP_GRAM = 0.3, 0.2


@dataclass(frozen=True)
class Clips:
    """Clips of one length: positions (N, T, 22, 3) over the body's size, valid (N, T, 22), seconds (N,)."""

    positions: NDArray[np.float32]
    valid: NDArray[np.bool_]
    seconds: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.positions)


def read_clips(motions: Sequence[Motion], n_frames: int) -> Clips:
    """Return canonical motions at `n_frames` equal steps of their own time; a pose counts where the frames around do.

    Nothing is filtered, so that noise stays to be seen. No motion, or one on other joints, raises UserError.
    """
    if not motions:
        raise UserError("Expected at least one motion, got none.")
    poses, masks = zip(*(_clip(motion, n_frames) for motion in motions), strict=True)
    seconds = np.array([motion.seconds for motion in motions], np.float32)
    return Clips(np.stack(poses), np.stack(masks), seconds)


def _clip(motion: Motion, n_frames: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    if motion.skeleton != CANONICAL:
        raise UserError("Expected the canonical 22 joints. Retarget the motion first (rehabmotion.motion.retarget).")
    x = fill_gaps(motion.positions, motion.valid)
    at = np.linspace(0, motion.n_frames - 1, n_frames)
    before = np.floor(at + 1e-9).astype(int)
    after = np.minimum(before + (at > before + 1e-9), motion.n_frames - 1)
    share = (at - before)[:, None, None].astype(np.float32)
    poses = x[before] + share * (x[after] - x[before])
    return poses / np.float32(body_size(motion)), motion.valid[before] & motion.valid[after]


def body_size(motion: Motion) -> float:
    """Return the length of the chain from ankle to neck (m), of mean bones; what is never seen is filled in.

    A body that shows nothing of the chain raises UserError.
    """
    x, valid = motion.positions, motion.valid
    length = np.linalg.norm(x[:, _CHAIN_JOINTS] - x[:, _CHAIN_PARENTS], axis=-1)
    seen = valid[:, _CHAIN_JOINTS] & valid[:, _CHAIN_PARENTS]
    n = seen.sum(axis=0)
    if not n.any():
        raise UserError("Expected a body with legs or spine, none of their bones is ever seen.")
    mean = (length * seen).sum(axis=0) / np.maximum(n, 1)
    return float((_CHAIN_SHARES * mean).sum() / _CHAIN_USUAL[n > 0].sum() * _CHAIN_USUAL.sum())


def parts_of(positions: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pelvis' place and the bones' directions (B, T, 22, 3), and which are seen (B, T, 22).

    The bone above joint j stands at j. What is not seen is zero: its placeholder is never read.
    """
    seen = torch.cat([valid[..., :1], valid[..., _JOINTS] & valid[..., _PARENTS]], dim=-1)
    bones = F.normalize(positions[..., _JOINTS, :] - positions[..., _PARENTS, :], dim=-1, eps=1e-6)
    parts = torch.cat([positions[..., :1, :], bones], dim=-2)
    return torch.where(seen[..., None], parts, torch.zeros_like(parts)), seen


def words_config(d: int, buckets: int) -> TextConfig:
    """Return how texts are hashed: as the generators do it, into fewer buckets."""
    return TextConfig((), d=d, word_buckets=buckets, gram_buckets=buckets)


def hashed_words(texts: Sequence[str], config: TextConfig) -> Tensor:
    """Return rows of one table for each word (B, W, 2 + G): the word, its pair, its n-grams; 0 = nothing."""
    hashed, n = hash_texts(list(texts), config), config.word_buckets
    pairs, grams = hashed["pairs"], hashed["grams"]
    pairs, grams = torch.where(pairs > 0, pairs + n, pairs), torch.where(grams > 0, grams + 2 * n, grams)
    return torch.cat([hashed["words"][..., None], pairs[..., None], grams], dim=-1)


class HashedWords(nn.Module):
    """Rows (B, W, 2 + G) -> word vectors (B, W, d) and their mask (B, W); an empty text keeps one blank word."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.table = nn.Embedding(config.word_buckets + 2 * config.gram_buckets, config.d, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.1)
        with torch.no_grad():
            self.table.weight[0] = 0

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors (B, W, d): the word's, its pair's, and its n-grams' over the root of their number."""
        mask = rows[..., 0] > 0
        mask = torch.cat([mask[:, :1] | ~mask.any(dim=1, keepdim=True), mask[:, 1:]], dim=1)
        kept = rows[mask]  # only real words cost
        if self.training:
            rates = torch.full((kept.shape[-1],), _DROP_GRAM, device=kept.device)
            rates[:2] = _DROP_WORD
            kept = torch.where(torch.rand(kept.shape, device=kept.device) < rates, torch.zeros_like(kept), kept)
        grams = (kept[:, 2:] > 0).sum(dim=1, keepdim=True).clamp(min=1)
        weights = torch.cat(
            [torch.ones_like(kept[:, :2]).float(), grams.float().rsqrt().expand(-1, kept.shape[1] - 2)], 1
        )
        own = F.embedding_bag(kept, self.table.weight, mode="sum", per_sample_weights=weights, padding_idx=0)
        vectors = torch.zeros(*mask.shape, own.shape[-1], dtype=own.dtype, device=own.device)
        return vectors.masked_scatter(mask[..., None], own), mask
