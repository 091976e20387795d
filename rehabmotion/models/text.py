"""The offline text encoder: words and character n-grams, hashed; learnt from our own captions, needing no download.

A known exercise in unknown words is what it must recognise. A bag of hashed n-grams carries that well; the words then
pass through one transformer layer to become the tokens that the motion network attends to.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rehabmotion.models.blocks import EncoderBlock
from rehabmotion.models.reader import Reader

SIDES = ("none", "left", "right", "both")
QUALITIES = ("none", "good", "bad")
READER_SHARE = 0.75  # of the reader in the exercise's log-probabilities; the rest is the encoder's
OTHER = "other"  # what is no known exercise
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class TextConfig:
    """Size of the encoder. `exercises` are the classes it tells apart; OTHER is added by itself.

    encoder: "ngram", ours, needing nothing; or a hub model's name (text_hub.py).
    """

    exercises: tuple[str, ...]
    encoder: str = "ngram"
    d: int = 128
    heads: int = 4
    layers: int = 1
    dropout: float = 0.1
    word_buckets: int = 4096
    gram_buckets: int = 8192
    max_words: int = 32
    max_grams: int = 24

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the logits."""
        return (*self.exercises, OTHER)


def words_of(text: str) -> list[str]:
    """Return the lower-case words of a text, letters and digits only."""
    return _WORD.findall(text.lower().replace("'", "").replace("’", ""))


def _bucket(kind: str, text: str, buckets: int) -> int:
    return 1 + zlib.crc32(f"{kind}:{text}".encode()) % (buckets - 1)  # 0 is padding


def hash_texts(texts: list[str], config: TextConfig) -> dict[str, Tensor]:
    """Return bucket numbers of texts: words and word pairs (B, W), n-grams (B, W, G); 0 = nothing."""
    split = [words_of(text)[: config.max_words] for text in texts]
    b, w, g = len(texts), max(1, *map(len, split)), config.max_grams
    words, pairs = np.zeros((b, w), np.int64), np.zeros((b, w), np.int64)
    grams = np.zeros((b, w, g), np.int64)
    for i, parts in enumerate(split):
        for j, word in enumerate(parts):
            words[i, j] = _bucket("w", word, config.word_buckets)
            pairs[i, j] = _bucket("p", f"{parts[j - 1] if j else ''} {word}", config.gram_buckets)
            own = _gram_buckets(word, g, config.gram_buckets)
            grams[i, j, : len(own)] = own
    return {"words": torch.from_numpy(words), "pairs": torch.from_numpy(pairs), "grams": torch.from_numpy(grams)}


@lru_cache(maxsize=2**14)  # people use few words: a training step would spell the same ones again
def _gram_buckets(word: str, most: int, buckets: int) -> tuple[int, ...]:
    framed = f"<{word[:20]}>"
    found = [framed[i : i + n] for n in (3, 4, 5) for i in range(len(framed) - n + 1)]
    return tuple(_bucket("g", gram, buckets) for gram in found[:most])


class TextEncoder(nn.Module):
    """Texts -> tokens (B, W, d), a pooled vector (B, d), and logits for exercise, side and quality."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        d = config.d
        self.word = nn.Embedding(config.word_buckets, d, padding_idx=0)
        self.pair = nn.Embedding(config.gram_buckets, d, padding_idx=0)
        self.gram = nn.Embedding(config.gram_buckets, d, padding_idx=0)
        for table in (self.word, self.pair, self.gram):
            nn.init.normal_(table.weight, std=0.05)
            with torch.no_grad():
                table.weight[0] = 0
        self.position = nn.Parameter(torch.zeros(config.max_words, d))
        self.blocks = nn.ModuleList(EncoderBlock(d, config.heads, config.dropout) for _ in range(config.layers))
        self.bag_norm, self.norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.dropout = nn.Dropout(config.dropout)
        self.exercise_head = nn.Linear(2 * d, len(config.classes))
        self.side_head = nn.Linear(2 * d, len(SIDES))
        self.quality_head = nn.Linear(2 * d, len(QUALITIES))
        self.reader = Reader(len(config.classes))

    def forward(self, hashed: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return tokens (B, W, d), mask (B, W) True = a word, pooled (B, 2d), and the three logits."""
        mask = hashed["words"] > 0
        mask[:, 0] |= ~mask.any(dim=1)  # an empty text keeps one blank token
        tokens = self._tokens(hashed, mask)
        weight = mask[..., None].float()
        bag = self.bag_norm((tokens * weight).sum(dim=1) / weight.sum(dim=1).sqrt())
        x = tokens + self.position[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x, mask)
        x = self.norm(x)
        pooled = torch.cat([bag, (x * weight).sum(dim=1) / weight.sum(dim=1)], dim=-1)
        dropped = self.dropout(pooled)
        return {
            "tokens": x,
            "mask": mask,
            "pooled": pooled,
            "exercise": self.exercise_head(dropped),
            "side": self.side_head(dropped),
            "quality": self.quality_head(dropped),
        }

    def _tokens(self, hashed: dict[str, Tensor], mask: Tensor) -> Tensor:
        """Return (B, W, d): each word the sum of its own, its pair's and its n-grams' vectors; only real words cost."""
        grams = hashed["grams"][mask]
        spread = F.embedding_bag(grams, self.gram.weight, mode="sum", padding_idx=0)
        spread = spread / (grams > 0).sum(dim=1, keepdim=True).clamp(min=1).sqrt()
        own = self.word(hashed["words"][mask]) + self.pair(hashed["pairs"][mask]) + spread
        return torch.zeros(*mask.shape, own.shape[-1], device=own.device, dtype=own.dtype).masked_scatter(
            mask[..., None], own
        )

    def encode(self, texts: list[str]) -> dict[str, Tensor]:
        """Return forward() of texts, on the device of the weights; the exercise as encoder and reader see it."""
        device = self.position.device
        out = self({name: value.to(device) for name, value in hash_texts(texts, self.config).items()})
        if self.reader.fitted:
            own = out["exercise"].log_softmax(dim=-1)
            out["exercise"] = (1 - READER_SHARE) * own + READER_SHARE * self.reader(texts)
        return out

    def understand(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return what each text is read as; see understand()."""
        return understand(self, texts)


class Encoder(Protocol):
    """What every text encoder offers: its configuration, and texts -> tokens, mask, pooled vector, three logits."""

    config: TextConfig

    def encode(self, texts: list[str]) -> dict[str, Tensor]:
        """Return tokens (B, W, d), mask (B, W), pooled (B, 2d), exercise, side and quality logits."""


@torch.no_grad()
def understand(encoder: Encoder, texts: list[str]) -> list[dict[str, Any]]:
    """Return, for each text, its nearest exercise, the confidence in it (0..1), the share of `other`, the side."""
    out = encoder.encode(texts)
    exercise, side = out["exercise"].softmax(dim=-1), out["side"].softmax(dim=-1)
    found = []
    for p, q in zip(exercise, side, strict=True):
        best = int(p[:-1].argmax())
        found.append(
            {
                "exercise": encoder.config.exercises[best],
                "confidence": float(p[best]),
                "other": float(p[-1]),
                "side": SIDES[int(q.argmax())],
            }
        )
    return found
