"""Features of clips as time series, learnt from some clips and asked of others. Needs the extra `judges`.

Judges and score regressors are simple heads over them. Clips are (N, T, B, 3) bone directions, B x 3 channels to a
series; the draw of random kernels takes an explicit seed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from rehabmotion.errors import UserError

Array = NDArray[np.floating]
HYDRA_CHUNK = 256  # clips at a time: its intermediate arrays are a hundred times its input


class Features(Protocol):
    """What a head needs: features of the clips it learns from, then the same of others."""

    def learn(self, clips: Array) -> Array:
        """Return features (N, F) of clips (N, T, B, 3), and keep what made them."""

    def of(self, clips: Array) -> Array:
        """Return the same features of other clips."""


class MiniRocketFeatures:
    """Shares of positive values after random convolutions, standardised over the clips they are learnt from."""

    def __init__(self, seed: int, n_kernels: int) -> None:
        self._seed, self._n_kernels = seed, n_kernels

    def learn(self, clips: Array) -> Array:
        """Return features (N, about n_kernels) of clips (N, T, B, 3), and keep what made them."""
        of = library()
        self._rocket = of.MiniRocket(n_kernels=self._n_kernels, random_state=self._seed, n_jobs=1)
        self._scaler = of.StandardScaler()
        with _as_before():
            return self._scaler.fit_transform(self._rocket.fit_transform(_channels_first(clips)))

    def of(self, clips: Array) -> Array:
        """Return the same features of other clips."""
        with _as_before():
            return self._scaler.transform(self._rocket.transform(_channels_first(clips)))


class MultiRocketHydraFeatures:
    """MultiRocket's features, standardised, and Hydra's counts, scaled as sparse counts are."""

    def __init__(self, seed: int, n_kernels: int) -> None:
        self._seed, self._n_kernels = seed, n_kernels

    def learn(self, clips: Array) -> Array:
        """Return features (N, F) of clips (N, T, B, 3), and keep what made them."""
        of, x = library(), _channels_first(clips)
        self._rocket = of.MultiRocket(n_kernels=self._n_kernels, random_state=self._seed, n_jobs=1)
        self._hydra = of.HydraTransformer(random_state=self._seed, n_jobs=1, output_type="numpy")
        self._scaler = of.StandardScaler()
        with _as_before():
            self._hydra.fit(x)
            rocket = self._scaler.fit_transform(self._rocket.fit_transform(x))
        roots = self._roots(x)
        self._mean = roots.mean(axis=0)
        # a count that is rarely above 0 is kept small: to its deviation comes its share of zeros, to the fourth power
        self._spread = roots.std(axis=0, ddof=1) + (roots == 0).mean(axis=0) ** 4 + 1e-8
        return np.concatenate([self._scaled(roots), rocket], axis=1)

    def of(self, clips: Array) -> Array:
        """Return the same features of other clips."""
        x = _channels_first(clips)
        with _as_before():
            rocket = self._scaler.transform(self._rocket.transform(x))
        return np.concatenate([self._scaled(self._roots(x)), rocket], axis=1)

    def _roots(self, x: NDArray[np.float32]) -> Array:
        with _as_before():
            parts = [self._hydra.transform(x[i : i + HYDRA_CHUNK]) for i in range(0, len(x), HYDRA_CHUNK)]
        return np.sqrt(np.maximum(np.concatenate(parts), 0))

    def _scaled(self, roots: Array) -> Array:
        return (roots - self._mean) * (roots != 0) / self._spread


class QuantFeatures:
    """Quantiles over dyadic intervals of the clip, its first and second differences and its spectrum."""

    def learn(self, clips: Array) -> Array:
        """Return features (N, F) of clips (N, T, B, 3), and keep what made them."""
        self._quant = library().QUANTTransformer(interval_depth=4, quantile_divisor=8)
        with _as_before():
            return self._quant.fit_transform(_channels_first(clips))

    def of(self, clips: Array) -> Array:
        """Return the same features of other clips."""
        with _as_before():
            return self._quant.transform(_channels_first(clips))


def library() -> SimpleNamespace:
    """Return the parts of aeon and sklearn that judges are made of, by name. Without them UserError names the extra."""
    try:
        from aeon.transformations.collection.convolution_based import HydraTransformer, MiniRocket, MultiRocket
        from aeon.transformations.collection.interval_based import QUANTTransformer
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
        from sklearn.linear_model import Ridge, RidgeClassifierCV
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise UserError('Judges need aeon. Install it with: pip install "rehabmotion[judges]"') from None
    return SimpleNamespace(
        ExtraTreesClassifier=ExtraTreesClassifier,
        ExtraTreesRegressor=ExtraTreesRegressor,
        HydraTransformer=HydraTransformer,
        MiniRocket=MiniRocket,
        MultiRocket=MultiRocket,
        QUANTTransformer=QUANTTransformer,
        Ridge=Ridge,
        RidgeClassifierCV=RidgeClassifierCV,
        StandardScaler=StandardScaler,
    )


@contextmanager
def _as_before() -> Iterator[None]:
    """Give back torch's seed and threads, which aeon sets for everybody, and let it not warn of bones that rest."""
    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*very little variation", category=UserWarning)
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="aeon")
            yield
    finally:
        torch.set_num_threads(threads)


def _channels_first(clips: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(clips.reshape(*clips.shape[:2], -1).transpose(0, 2, 1), dtype=np.float32)
