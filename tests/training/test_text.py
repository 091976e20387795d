"""Training of the text encoder: labels in accord with the texts, and a little is learnt soon."""

import numpy as np
import torch

from rehabmotion.data.captions import TRAINING_FAMILIES, captions
from rehabmotion.models.text import QUALITIES, SIDES, TextConfig, hash_texts
from rehabmotion.training.text import _without_some, accuracy_on_families, draw_batch, train_text_encoder

CONFIG = TextConfig(
    ("deep_squat", "hurdle_step", "standing_shoulder_abduction"), d=16, heads=2, word_buckets=1024, gram_buckets=1024
)


def test_labels_are_in_accord_with_the_texts() -> None:
    texts, labels = draw_batch(CONFIG, 400, np.random.default_rng(0), TRAINING_FAMILIES)
    assert all(len(values) == 400 for values in (texts, *labels.values()))
    assert set(labels["exercise"].tolist()) == {0, 1, 2, 3}
    assert 0.06 < (labels["exercise"] == 3).float().mean() < 0.18
    for text, exercise, side, quality in zip(texts, *(labels[k].tolist() for k in labels), strict=True):
        if SIDES[side] == "none" and exercise < 3:
            assert not {"left", "right"} & set(text.lower().split())
        if exercise == 0:
            assert SIDES[side] == "none"  # a squat has none
        if exercise == 3:
            assert QUALITIES[quality] == "none"


def test_the_same_state_draws_the_same_batch() -> None:
    a, b = (draw_batch(CONFIG, 20, np.random.default_rng(7), TRAINING_FAMILIES) for _ in range(2))
    assert a[0] == b[0]
    assert all(torch.equal(a[1][k], b[1][k]) for k in a[1])


def test_dropping_words_keeps_their_places() -> None:
    hashed = hash_texts(["lift the left leg and put it down again", "squat"], CONFIG)
    dropped = _without_some(hashed, np.random.default_rng(0))
    assert torch.equal(dropped["words"] > 0, hashed["words"] > 0)
    changed = dropped["words"] != hashed["words"]
    assert changed.any()
    assert (dropped["words"][changed] == 1).all()
    assert all(((d == 0) | (d == hashed[k])).all() for k, d in dropped.items() if k != "words")


def test_a_few_steps_beat_chance_and_are_repeatable() -> None:
    said: list[str] = []
    first = train_text_encoder(CONFIG, n_steps=60, batch_size=32, seed=1, say=said.append)
    again = train_text_encoder(CONFIG, n_steps=60, batch_size=32, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not first.training
    known = captions("standing_shoulder_abduction", "left", TRAINING_FAMILIES)[:40]
    found = np.mean([u["exercise"] == "standing_shoulder_abduction" for u in first.understand(known)])
    assert found > 0.6  # chance is a third


def test_accuracy_is_a_share_for_each_exercise() -> None:
    encoder = train_text_encoder(CONFIG, n_steps=40, batch_size=4)
    shares = accuracy_on_families(encoder, ("name",))
    assert tuple(shares) == CONFIG.exercises
    assert all(0.9 <= share <= 1 for share in shares.values())  # the reader was fitted on this family
