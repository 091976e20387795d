"""RehabMotion: words and a clinical score in, natural exercise motion out."""

__version__ = "0.1.0"
