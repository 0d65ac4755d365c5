"""Convolutional networks on a torus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from nqs.networks.protocol import Geometry, Network, Parameters, like
from nqs.runtime.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PeriodicCNN:
    """Two periodic 5x5 convolutions, an average over sites, one dense layer without bias [Westerhout 2020, Supp. I c].

    The average carries alternating signs along an axis on which the ground state has momentum pi, so the sign network
    obeys psi(T s) = exp(ik) psi(s) exactly. p(+) = (1 + tanh r)/2, that is a logit of 2r.

    With `site_weights` the average and the layer behind it become one weight per site and channel: the same network
    without its symmetry.

    The second convolution is done in momentum space, where it is one (in, out) matrix per wave vector instead of a
    sum over 25 taps; on 24 sites this takes an eighth of the multiplications. Activations are kept feature-major,
    (..., site or momentum, channel, batch), so that every step is one matrix product.
    """

    geometry: Geometry
    target: str
    channels: tuple[int, int] = (32, 64)
    kernel: int = 5
    site_weights: bool = False

    @property
    def translation_invariant(self) -> bool:
        return not self.site_weights

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        first, second = self.channels
        taps = self.kernel**2
        return {
            "kernel0": (taps, 1, first),
            "bias0": (first,),
            "kernel1": (taps, first, second),
            "bias1": (second,),
            "weight2": (self.geometry.n_sites, second) if self.site_weights else (second,),
        }

    @property
    def fan_in(self) -> dict[str, int]:
        taps, (first, second) = self.kernel**2, self.channels
        return {
            "kernel0": taps,
            "bias0": taps,
            "kernel1": taps * first,
            "bias1": taps * first,
            "weight2": second * self.geometry.n_sites if self.site_weights else second,
        }

    @cached_property
    def _torus(self) -> TorusTables:
        return TorusTables.of(self.geometry.shape, self.kernel)

    @cached_property
    def _average(self) -> np.ndarray:
        """Weights of the site average: 1/N, alternating along an axis of momentum pi (signs only)."""
        (lx, ly), (kx, ky) = self.geometry.shape, self.geometry.momentum
        if self.target != "sign":
            kx = ky = 0
        if any(2 * k not in (0, length) for k, length in ((kx, lx), (ky, ly))):
            raise InputError(
                f"cnn: the ground state has momentum ({kx}, {ky}) on a {lx}x{ly} torus; only 0 and pi can be built in"
            )
        x, y = np.arange(lx * ly) % lx, np.arange(lx * ly) // lx
        sign = (-1.0) ** ((2 * kx // lx) * x + (2 * ky // ly) * y)
        return (sign / (lx * ly)).astype(np.float32)

    def __call__(self, parameters: Parameters, spins: Tensor) -> Tensor:
        import torch

        torus = self._torus
        n, lead, batch = self.geometry.n_sites, spins.shape[:-2], spins.shape[-2]
        c0, c1 = self.channels

        # first convolution: one (site out, channel) x (site in, and a constant for the bias) matrix
        taps = parameters["kernel0"].squeeze(-2).transpose(-1, -2)  # (..., channel, tap)
        first = taps.unsqueeze(-3) @ like(torus.shifts, spins)  # (..., site out, channel, site in)
        bias = parameters["bias0"][..., None, :, None].expand(*lead, n, c0, 1)
        inputs = torch.cat([spins.transpose(-1, -2), spins.new_ones(*lead, 1, batch)], -2)
        h = torch.cat([first, bias], -1).reshape(*lead, n * c0, n + 1) @ inputs
        h = h.relu_().view(*lead, n, c0 * batch)  # (..., site, channel*batch)

        # second convolution: one matrix per pair of Fourier modes
        fourier = like(torus.fourier, spins)
        h = (fourier @ h).view(*lead, n // 2, 2 * c0, batch)  # (..., pair, mode*channel, batch)
        h = self._mode_matrices(parameters["kernel1"]) @ h
        h = (fourier.T @ h.view(*lead, n, c1 * batch)).view(*lead, n, c1, batch)
        h = (h + parameters["bias1"][..., None, :, None]).relu_()

        weights = parameters["weight2"]
        if self.site_weights:
            weights, h = weights.flatten(-2), h.flatten(-3, -2)
        else:
            h = (like(self._average, spins) @ h.view(*lead, n, c1 * batch)).view(*lead, c1, batch)
        r = (weights.unsqueeze(-2) @ h).squeeze(-2)
        return 2 * r if self.target == "sign" else r

    def _mode_matrices(self, taps: Tensor) -> Tensor:
        """The convolution (..., tap, in, out) on pairs of Fourier modes: (..., pair, mode*out, mode*in)."""
        c0, c1 = self.channels
        blocks = like(self._torus.kernels, taps) @ taps.flatten(-2)  # (..., pair*mode out*mode in, in*out)
        blocks = blocks.view(*taps.shape[:-3], -1, 2, 2, c0, c1)
        return blocks.movedim(-1, -3).reshape(*taps.shape[:-3], -1, 2 * c1, 2 * c0)


@dataclass(frozen=True)
class TorusTables:
    """Constant matrices of a periodic convolution on an Lx x Ly torus with an even number of sites, site = x + Lx y.

    Fourier modes come in pairs. A pair is the cosine and sine of one complex wave vector, or two real wave vectors;
    the first mode is the constant. A convolution acts within pairs.

    shifts   (site out, tap, site in)             1 where the tap of the output site falls on the input site
    fourier  (mode, site)                         orthogonal
    kernels  (pair * mode out * mode in, tap)     the convolution in the basis of modes, as a function of its taps
    """

    shifts: np.ndarray
    fourier: np.ndarray
    kernels: np.ndarray

    @classmethod
    def of(cls, shape: tuple[int, int], kernel: int) -> TorusTables:
        """Tables for a square kernel of odd width, centred on the output site."""
        lx, ly = shape
        n, half = lx * ly, kernel // 2
        x, y = np.arange(n) % lx, np.arange(n) // lx
        dx, dy = np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1))
        source = (x[:, None] + dx.ravel()) % lx + lx * ((y[:, None] + dy.ravel()) % ly)  # (site out, tap)
        shifts = np.zeros((n, kernel**2, n))
        shifts[np.arange(n)[:, None], np.arange(kernel**2), source] = 1  # taps that wrap onto one site coincide

        fourier = fourier_modes(shape)
        pairs = fourier.reshape(n // 2, 2, n)
        kernels = np.einsum("pas,stu,pbu->pabt", pairs, shifts, pairs).reshape(-1, kernel**2)
        return cls(*(table.astype(np.float32) for table in (shifts, fourier, kernels)))


def fourier_modes(shape: tuple[int, int]) -> np.ndarray:
    """Orthogonal real Fourier modes (mode, site) of a torus: real wave vectors, then cosines and sines in turn."""
    lx, ly = shape
    n = lx * ly
    x, y = np.arange(n) % lx, np.arange(n) // lx
    k, minus = np.arange(n), (-x) % lx + lx * ((-y) % ly)
    phase = 2 * np.pi * (np.outer(x, x) / lx + np.outer(y, y) / ly)  # (wave vector, site)
    real, pairs = k[k == minus], k[k < minus]
    waves = np.stack([np.cos(phase[pairs]), np.sin(phase[pairs])], 1).reshape(-1, n)
    return np.concatenate([np.cos(phase[real]) / sqrt(n), waves * sqrt(2 / n)])


def make(geometry: Geometry, target: str, options: Mapping[str, Any]) -> Network:
    """Periodic CNN of the configured channels."""
    return PeriodicCNN(geometry, target, tuple(options["channels"]), options["kernel"], options["site_weights"])
