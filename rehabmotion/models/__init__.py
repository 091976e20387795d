"""Networks: text encoder, denoiser, generators. A new family is one file and one line in MODELS."""

from rehabmotion.models.generator import DiffusionConfig, DiffusionGenerator

MODELS = {DiffusionGenerator.kind: (DiffusionConfig, DiffusionGenerator)}

__all__ = ["MODELS", "DiffusionConfig", "DiffusionGenerator"]
