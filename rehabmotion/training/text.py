"""Trains the text encoder: from a sentence to exercise, side and how well it is said to be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rehabmotion.data.caption_draws import Caption, draw_caption, draw_other
from rehabmotion.data.captions import TRAINING_FAMILIES, captions, other_sentences
from rehabmotion.models.generator import new_text_encoder
from rehabmotion.models.text import QUALITIES, SIDES, TextConfig, TextEncoder, hash_texts
from rehabmotion.models.text_hub import HubTextEncoder
from rehabmotion.motion import EXERCISES

OTHER_SHARE = 0.12
READER_ITERATIONS = 100


def train_text_encoder(
    config: TextConfig,
    n_steps: int = 1500,
    batch_size: int = 128,
    seed: int = 0,
    families: Sequence[str] = TRAINING_FAMILIES,
    say: Callable[[str], None] = lambda _: None,
) -> TextEncoder | HubTextEncoder:
    """Return an encoder trained on drawn captions of `families`: AdamW, one-cycle rate, cross-entropy on 3 heads."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    encoder = new_text_encoder(config)
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=n_steps)
    encoder.train()
    for step in range(n_steps):
        texts, labels = draw_batch(config, batch_size, rng, families)
        if isinstance(encoder, TextEncoder):
            out = encoder(_without_some(hash_texts(texts, config), rng))
        else:
            out = encoder.encode(texts)
        loss = F.cross_entropy(out["exercise"], labels["exercise"], label_smoothing=0.05)
        known = labels["exercise"] < len(config.exercises)
        loss = loss + 0.5 * F.cross_entropy(out["side"][known], labels["side"][known])
        loss = loss + 0.5 * F.cross_entropy(out["quality"][known], labels["quality"][known])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if (step + 1) % 250 == 0:
            say(f"text encoder: step {step + 1} of {n_steps}, loss {loss.item():.3f}")
    if isinstance(encoder, TextEncoder):
        say("text encoder: fitting the reader")
        fit_reader(encoder, families, min(READER_ITERATIONS, n_steps))
    return encoder.eval()


def fit_reader(
    encoder: TextEncoder, families: Sequence[str] = TRAINING_FAMILIES, n_iterations: int = READER_ITERATIONS
) -> None:
    """Fit the encoder's linear reader on every caption of `families` as it is written, and on other sentences."""
    known = encoder.config.exercises
    pairs = {(t, known.index(e)) for e in known for side in EXERCISES[e].sides for t in captions(e, side, families)}
    pairs |= {(text, len(known)) for text in other_sentences()}
    texts, labels = zip(*sorted(pairs), strict=True)
    encoder.reader.fit(texts, labels, n_iterations=n_iterations)


def draw_batch(
    config: TextConfig, n: int, rng: np.random.Generator, families: Sequence[str]
) -> tuple[list[str], dict[str, Tensor]]:
    """Return n captions and their labels (n,) for exercise, side and quality."""
    texts, exercise, side, quality = [], [], [], []
    for _ in range(n):
        index = int(rng.integers(len(config.exercises)))
        if rng.random() < OTHER_SHARE:
            index, caption = len(config.exercises), draw_other(rng)
        else:
            caption = _draw(config.exercises[index], rng, families)
        texts.append(caption.text)
        exercise.append(index)
        side.append(SIDES.index(caption.side))
        quality.append(QUALITIES.index(caption.quality))
    labels = {"exercise": exercise, "side": side, "quality": quality}
    return texts, {name: torch.tensor(values) for name, values in labels.items()}


def _draw(exercise: str, rng: np.random.Generator, families: Sequence[str]) -> Caption:
    sides = EXERCISES[exercise].sides
    quality, grade = None, None
    if rng.random() < 0.3:
        quality = bool(rng.random() < 0.5)
    elif rng.random() < 0.2:
        grade = int(rng.integers(1, 4))
    return draw_caption(exercise, sides[rng.integers(len(sides))], rng, families, quality, grade)


def _without_some(hashed: dict[str, Tensor], rng: np.random.Generator, share: float = 0.2) -> dict[str, Tensor]:
    """Drop whole words, word pairs and n-grams at random: unknown words must be survived."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))

    def drop(x: Tensor, p: float) -> Tensor:
        return torch.where(torch.rand(x.shape, generator=generator) < p, torch.zeros_like(x), x)

    # a dropped word stays a word (its mask must hold), so its bucket becomes 1
    words = torch.where(
        (hashed["words"] > 0) & (torch.rand(hashed["words"].shape, generator=generator) < 2 * share),
        torch.ones_like(hashed["words"]),
        hashed["words"],
    )
    return {"words": words, "pairs": drop(hashed["pairs"], 2 * share), "grams": drop(hashed["grams"], share)}


@torch.no_grad()
def accuracy_on_families(encoder: TextEncoder | HubTextEncoder, families: Sequence[str]) -> dict[str, float]:
    """Return the share of captions of `families` whose exercise is found, per exercise."""
    found = {}
    for exercise in encoder.config.exercises:
        texts = [t for side in EXERCISES[exercise].sides for t in captions(exercise, side, families)]
        understood = encoder.understand(sorted(set(texts)))
        found[exercise] = float(np.mean([u["exercise"] == exercise for u in understood]))
    return found
