"""The text encoder: shapes, masks, and that a text means the same in any company."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rehabmotion.models.text import OTHER, QUALITIES, SIDES, TextConfig, TextEncoder, hash_texts, words_of

CONFIG = TextConfig(("deep_squat", "hurdle_step"), d=16, heads=2, word_buckets=128, gram_buckets=128)
TEXTS = ["squat", "", "Lift the LEFT leg, don't hurry!", "a " * 50, "Übung ×3 — ¿qué?", "\n\t"]


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(CONFIG).eval()


def test_words_are_lower_case_letters_and_digits() -> None:
    assert words_of("Don't lift 2 Legs,  OK?") == ["dont", "lift", "2", "legs", "ok"]
    assert words_of("don’t") == ["dont"]
    assert words_of("¿¡…!?") == []


def test_buckets_stay_inside_their_tables_and_0_is_nothing() -> None:
    hashed = hash_texts(TEXTS, CONFIG)
    b, w = len(TEXTS), CONFIG.max_words
    assert (hashed["words"].shape, hashed["pairs"].shape) == ((b, w), (b, w))
    assert hashed["grams"].shape == (b, w, CONFIG.max_grams)
    assert hashed["words"][0, 0] > 0
    assert (hashed["words"][0, 1:] == 0).all()
    assert (hashed["words"][1] == 0).all()
    assert all(int(v.max()) < 128 and int(v.min()) >= 0 for v in hashed.values())


def test_word_order_is_seen_in_pairs_and_typing_errors_share_most_n_grams() -> None:
    a, b = hash_texts(["leg left"], CONFIG), hash_texts(["left leg"], CONFIG)
    assert set(a["words"].flatten().tolist()) == set(b["words"].flatten().tolist())
    assert set(a["pairs"].flatten().tolist()) != set(b["pairs"].flatten().tolist())
    big = replace(CONFIG, gram_buckets=1 << 20)
    right, wrong = (set(hash_texts([t], big)["grams"].flatten().tolist()) for t in ("shoulder", "shouldr"))
    assert len(right & wrong) >= 10


def test_the_outputs_have_their_shapes(encoder: TextEncoder) -> None:
    out = encoder(hash_texts(TEXTS, CONFIG))
    b, w, d = len(TEXTS), CONFIG.max_words, CONFIG.d
    assert (out["tokens"].shape, out["mask"].shape, out["pooled"].shape) == ((b, w, d), (b, w), (b, 2 * d))
    assert out["exercise"].shape == (b, 3)
    assert (out["side"].shape, out["quality"].shape) == ((b, len(SIDES)), (b, len(QUALITIES)))
    assert CONFIG.classes == ("deep_squat", "hurdle_step", OTHER)
    assert all(torch.isfinite(v).all() for v in out.values())


def test_a_text_without_words_keeps_one_blank_token(encoder: TextEncoder) -> None:
    out = encoder(hash_texts(["", "...", "squat"], CONFIG))
    assert out["mask"].tolist() == [[True], [True], [True]]
    assert torch.equal(out["pooled"][0], out["pooled"][1])
    assert not torch.allclose(out["pooled"][0], out["pooled"][2])


@given(st.lists(st.text(max_size=40), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_a_text_is_read_the_same_alone_and_in_any_company(encoder: TextEncoder, texts: list[str]) -> None:
    with torch.no_grad():
        together = encoder(hash_texts(texts, CONFIG))
        for i, text in enumerate(texts):
            alone = encoder(hash_texts([text], CONFIG))
            n = alone["tokens"].shape[1]
            assert not together["mask"][i, n:].any()
            assert torch.allclose(together["tokens"][i, :n], alone["tokens"][0], atol=1e-5)
            for name in ("pooled", "exercise", "side", "quality"):
                assert torch.allclose(together[name][i], alone[name][0], atol=1e-5)


def test_the_same_text_gives_the_same_numbers(encoder: TextEncoder) -> None:
    a, b = (encoder(hash_texts(TEXTS, CONFIG))["pooled"] for _ in range(2))
    assert torch.equal(a, b)


def test_hashing_does_not_depend_on_the_process() -> None:
    """Python's own hash changes from run to run; a trained encoder must not."""
    hashed = hash_texts(["deep squat"], CONFIG)
    assert hashed["words"].tolist() == [[72, 110]]
    assert hashed["pairs"].tolist() == [[123, 116]]


def test_gradients_reach_every_weight(encoder: TextEncoder) -> None:
    torch.manual_seed(1)
    fresh = TextEncoder(CONFIG)
    out = fresh(hash_texts(["lift the left leg", "squat"], CONFIG))
    sum(out[name].square().sum() for name in ("exercise", "side", "quality", "tokens")).backward()
    learnt = [(name, p) for name, p in fresh.named_parameters() if not name.startswith("reader.")]  # fitted apart
    still = [name for name, p in learnt if p.grad is None or not p.grad.abs().max() > 0]
    assert still == []
    assert not fresh.word.weight.grad[0].any()  # type: ignore[index]  # padding learns nothing


def test_what_is_understood_names_exercise_side_and_shares(encoder: TextEncoder) -> None:
    first, second = encoder.understand(["squat deep", ""])
    assert first["exercise"] in CONFIG.exercises
    assert first["side"] in SIDES
    assert 0 <= second["confidence"] <= 1
    assert 0 <= second["other"] <= 1
    assert encoder.understand(["squat deep"])[0]["confidence"] == pytest.approx(first["confidence"], abs=1e-6)
