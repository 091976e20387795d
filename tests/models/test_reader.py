"""The linear reader of sentences: n-grams, its fit against scikit-learn's, and what it says before and after."""

from zlib import crc32

import numpy as np
import pytest
import torch

from rehabmotion.models.reader import GRAM_BUCKETS, WORD_BUCKETS, Reader, ngrams

TEXTS = [
    "lift the left leg",
    "raise a leg forwards",
    "sink down and stand up",
    "squat low",
    "reach the arm sideways",
    "arm out",
]
LABELS = [0, 0, 1, 1, 2, 2]


def test_ngrams_of_a_short_sentence() -> None:
    words, grams = ngrams("A leg up")
    assert words == [crc32(item.encode()) % WORD_BUCKETS for item in ("leg", "up", "leg up")]
    spelled = (" a ", " le", "leg", "eg ", " leg", "leg ", " leg ", " up", "up ", " up ")
    assert grams == [WORD_BUCKETS + crc32(gram.encode()) % GRAM_BUCKETS for gram in spelled]


def test_an_unfitted_reader_says_nothing() -> None:
    out = Reader(4)(["squat", ""])
    assert torch.allclose(out, torch.full((2, 4), -np.log(4.0)))


def test_a_fitted_reader_knows_its_texts_and_survives_a_slip_of_typing() -> None:
    reader = Reader(3).fit(TEXTS, LABELS)
    assert reader(TEXTS).argmax(dim=1).tolist() == LABELS
    assert reader(["sqaut low down", "the other legg"]).argmax(dim=1).tolist() == [1, 0]


def test_a_text_reads_the_same_alone_and_in_company() -> None:
    reader = Reader(3).fit(TEXTS, LABELS)
    together = reader([*TEXTS, "", "leg " * 500])
    assert torch.allclose(reader([TEXTS[3]])[0], together[3], atol=1e-6)
    assert torch.isfinite(together).all()


def test_the_fit_is_that_of_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    texts, labels = [*TEXTS, "lower the hips", "hand to the side"], [*LABELS, 1, 2]
    reader = Reader(3).fit(texts, labels, strength=5.0, n_iterations=300)
    x = np.zeros((len(texts), len(reader.idf)))
    for i, text in enumerate(texts):
        for bucket, value in reader._features(text).items():
            x[i, bucket] = value
    theirs = linear.LogisticRegression(C=5.0, class_weight="balanced", max_iter=1000, tol=1e-8).fit(x, labels)
    assert np.abs(theirs.predict_log_proba(x) - reader(texts).detach().numpy()).max() < 2e-3
