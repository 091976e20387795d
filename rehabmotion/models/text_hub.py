"""Text encoders of the Hugging Face hub, for those who have it: CLIP or a sentence transformer, frozen, heads of ours.

Names: `clip:openai/clip-vit-base-patch32`, `sentence-transformers:sentence-transformers/all-MiniLM-L6-v2`. The backbone
is loaded by name from the user's own hub cache (or downloaded, where the user's settings allow) and never saved with a
model.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from rehabmotion.errors import UserError
from rehabmotion.models.text import QUALITIES, SIDES, TextConfig, understand

KINDS = ("clip", "sentence-transformers")


class Backbone(Protocol):
    """The seam: texts -> token vectors (B, W, width) and mask (B, W), True = a token."""

    width: int

    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Return the token vectors of texts."""


class HubBackbone:
    """A frozen transformer of the hub, by name."""

    def __init__(self, name: str) -> None:
        kind, _, model = name.partition(":")
        if kind not in KINDS or not model:
            raise UserError(f'Expected a text encoder as {" or ".join(f"{k}:MODEL" for k in KINDS)}, got "{name}".')
        try:
            from transformers import AutoModel, AutoTokenizer, CLIPTextModel
        except ImportError:
            raise UserError(f'{name} needs transformers. Install it with: pip install "rehabmotion[text]"') from None
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model)
            self.model: Any = (CLIPTextModel if kind == "clip" else AutoModel).from_pretrained(model)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"Expected the hub model {model} in your cache, could not load it ({reason}).") from None
        self.model.eval().requires_grad_(False)
        self.width = int(self.model.config.hidden_size)

    @torch.no_grad()
    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Return the last hidden states (B, W, width) and their mask."""
        batch = self.tokenizer(texts, padding=True, truncation=True, max_length=64, return_tensors="pt")
        return self.model(**batch).last_hidden_state, batch["attention_mask"].bool()


class HubTextEncoder(nn.Module):
    """A frozen backbone's tokens projected to width d, with the three heads of the n-gram encoder."""

    def __init__(self, config: TextConfig, backbone: Backbone | None = None) -> None:
        super().__init__()
        self.config = config
        self._backbone = (backbone or HubBackbone(config.encoder),)  # in a tuple: no submodule, so it is never saved
        d = config.d
        self.project = nn.Linear(self._backbone[0].width, d)
        self.norm = nn.LayerNorm(d)
        self.pool = nn.Linear(d, 2 * d)
        self.dropout = nn.Dropout(config.dropout)
        self.exercise_head = nn.Linear(2 * d, len(config.classes))
        self.side_head = nn.Linear(2 * d, len(SIDES))
        self.quality_head = nn.Linear(2 * d, len(QUALITIES))

    def encode(self, texts: list[str]) -> dict[str, Tensor]:
        """Return tokens (B, W, d), mask (B, W), pooled (B, 2d) and the three logits."""
        vectors, mask = self._backbone[0].tokens(texts)
        device = self.project.weight.device
        tokens, mask = self.norm(self.project(vectors.to(device))), mask.to(device)
        weight = mask[..., None].float()
        pooled = torch.nn.functional.gelu(self.pool((tokens * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)))
        dropped = self.dropout(pooled)
        return {
            "tokens": tokens,
            "mask": mask,
            "pooled": pooled,
            "exercise": self.exercise_head(dropped),
            "side": self.side_head(dropped),
            "quality": self.quality_head(dropped),
        }

    def understand(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return what each text is read as; see rehabmotion.models.text.understand."""
        return understand(self, texts)
