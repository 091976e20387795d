"""The reader: which exercise a sentence means, by word pairs and character n-grams, linear and hard to mislead.

TF-IDF weights over hashed n-grams and multinomial logistic regression, in PyTorch so that it ships with the weights. It
beats a trained encoder on wording never seen (docs/lab-log.md), so its word counts for most where both are asked.
"""

from __future__ import annotations

import itertools
import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WORD_BUCKETS, GRAM_BUCKETS = 2**15, 2**16
_WORD = re.compile(r"[a-z0-9]+")


def ngrams(text: str) -> tuple[list[int], list[int]]:
    """Return buckets of the words and word pairs of a text, and of its words' character 3-5-grams, ends marked."""
    words = _WORD.findall(text.lower().replace("'", " ").replace("’", " "))[:64]
    longer = [word for word in words if len(word) > 1]  # "a" and "I" say nothing
    pairs = [f"{a} {b}" for a, b in itertools.pairwise(longer)]
    return [_word_bucket(item) for item in longer + pairs], [gram for word in words for gram in _gram_buckets(word)]


@lru_cache(maxsize=2**14)  # people use few words: a training step would count the letters of the same ones again
def _word_bucket(item: str) -> int:
    return zlib.crc32(item.encode()) % WORD_BUCKETS


@lru_cache(maxsize=2**14)
def _gram_buckets(word: str) -> tuple[int, ...]:
    framed = f" {word[:24]} "
    grams = [framed[i : i + n] for n in (3, 4, 5) for i in range(len(framed) - n + 1)]
    return tuple(WORD_BUCKETS + zlib.crc32(gram.encode()) % GRAM_BUCKETS for gram in grams)


def _counted(buckets: list[int]) -> dict[int, float]:
    return {bucket: 1.0 + math.log(n) for bucket, n in Counter(buckets).items()}


class Reader(nn.Module):
    """Texts -> log-probabilities (B, classes). An unfitted reader says nothing: all classes alike."""

    idf: Tensor
    fitted: Tensor

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.register_buffer("idf", torch.ones(WORD_BUCKETS + GRAM_BUCKETS))
        self.register_buffer("fitted", torch.tensor(False))
        self.weight = nn.Parameter(torch.zeros(WORD_BUCKETS + GRAM_BUCKETS, n_classes))
        self.bias = nn.Parameter(torch.zeros(n_classes))

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return log-probabilities (B, classes)."""
        rows = [self._features(text) for text in texts]
        indices = torch.tensor([i for row in rows for i in row], dtype=torch.long, device=self.bias.device)
        values = torch.tensor([v for row in rows for v in row.values()], device=self.bias.device)
        starts = torch.tensor([0, *(len(row) for row in rows)]).cumsum(0)[:-1].to(self.bias.device)
        summed = F.embedding_bag(indices, self.weight, starts, mode="sum", per_sample_weights=values)
        return (summed + self.bias).log_softmax(dim=-1)

    def _features(self, text: str) -> dict[int, float]:
        """Return bucket -> weight: each block (words, characters) of length 1."""
        row: dict[int, float] = {}
        for block in map(_counted, ngrams(text)):
            idf = self.idf[list(block)].tolist()  # one look-up: a tensor is slow to ask number by number
            weighted = {bucket: value * weight for (bucket, value), weight in zip(block.items(), idf, strict=True)}
            length = sum(value**2 for value in weighted.values()) ** 0.5
            row |= {bucket: value / max(length, 1e-9) for bucket, value in weighted.items()}
        return row

    def fit(
        self, texts: Sequence[str], labels: Sequence[int], strength: float = 20.0, n_iterations: int = 100
    ) -> Reader:
        """Learn from texts and their class numbers; classes count alike. `strength` is the inverse of L2 decay."""
        self._fit_idf(texts)
        rows = [self._features(text) for text in texts]
        where = torch.tensor([[i, bucket] for i, row in enumerate(rows) for bucket in row]).T
        values = torch.tensor([value for row in rows for value in row.values()])
        shape = (len(rows), len(self.idf))
        x = torch.sparse_coo_tensor(where, values, shape, check_invariants=True).coalesce()
        y = torch.tensor(labels)
        counts = torch.bincount(y, minlength=len(self.bias)).clamp(min=1).float()
        balance = len(y) / (len(self.bias) * counts)
        weight, bias = torch.zeros_like(self.weight), torch.zeros_like(self.bias)
        weight.requires_grad_(True)
        bias.requires_grad_(True)
        optimiser = torch.optim.LBFGS(
            [weight, bias], max_iter=n_iterations, history_size=10, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimiser.zero_grad()
            logits = torch.sparse.mm(x, weight) + bias
            losses = F.cross_entropy(logits, y, reduction="none") * balance[y]
            loss = losses.sum() + 0.5 / strength * weight.square().sum()
            loss.backward()
            return loss

        optimiser.step(closure)
        with torch.no_grad():
            self.weight.copy_(weight)
            self.bias.copy_(bias)
            self.fitted.fill_(True)
        return self

    def _fit_idf(self, texts: Sequence[str]) -> None:
        seen = torch.zeros_like(self.idf)
        for text in texts:
            words, grams = ngrams(text)
            seen[list({*words, *grams})] += 1
        self.idf.copy_(torch.log((1 + len(texts)) / (1 + seen)) + 1)
