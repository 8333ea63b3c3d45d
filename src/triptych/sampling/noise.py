"""Noise by counter: a pure function of (seed, picture index, step, position).

The generator is Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten
rounds of multiply and xor turn a counter and a key into four random words, so no state is kept, nothing
global is touched, and a neighbour in the batch cannot change a picture. Key: the seed. Counter: (block of
four words, stream, step, index).

Bitwise equality on every platform is the promise, so only operations that IEEE 754 defines exactly are used:
integers, + - * / sqrt and frexp, each as a numpy function of its own (a fused multiply-add would round
differently). Libraries' log, exp and cos differ in the last bit between platforms; the normal distribution is
therefore drawn through Wichura's rational approximation of the inverse normal CDF (1988, algorithm AS 241),
with a logarithm of our own.

Shapes: word n belongs to element n in row-major order. A reshape keeps the numbers, and a shorter draw is the
beginning of a longer one: pictures with one more channel share the others. Two widths share no layout.

This module knows nothing of schedules, models or devices: it returns CPU tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

INITIAL = -1
"""The step of the noise that a picture starts from; steps of a stochastic sampler count from 0."""

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10

_NORMAL, _UNIFORM = 0, 1  # streams: a normal and a uniform draw of the same address must not be related


def normal(seed: int, index: int, step: int, shape: Sequence[int]) -> Tensor:
    """Independent standard normal numbers, float32, bitwise the same everywhere.

    seed: 0 to 2**64 - 1. index: the picture's number in its request. step: INITIAL or the sampler's step.
    Values lie within +-6.34, the quantile of the outermost of 2**32 levels. Raises ValueError out of range.
    """
    probabilities = _probabilities(seed, index, step, math.prod(shape), _NORMAL)
    return torch.as_tensor(inverse_normal_cdf(probabilities).astype(np.float32)).reshape(tuple(shape))


def uniform(seed: int, index: int, step: int, shape: Sequence[int]) -> Tensor:
    """Independent uniform numbers strictly between 0 and 1, float64 (in float32 the largest would be 1)."""
    return torch.as_tensor(_probabilities(seed, index, step, math.prod(shape), _UNIFORM)).reshape(tuple(shape))


def _probabilities(seed: int, index: int, step: int, count: int, stream: int) -> Floats:
    """`count` numbers (n + 1/2) / 2**32; every one is exact in float64, and 1 - p is too."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed is {seed}; 0 to 2**64 - 1 is allowed")
    if not 0 <= index < 2**32:
        raise ValueError(f"index is {index}; 0 to 2**32 - 1 is allowed")
    if not INITIAL <= step < 2**32 - 1:
        raise ValueError(f"step is {step}; {INITIAL} (the initial noise) to 2**32 - 2 is allowed")
    blocks = -(-count // 4)
    if blocks > 2**32:
        raise ValueError(f"{count} numbers asked of one step; at most 2**34 are allowed")
    counter = (
        np.arange(blocks, dtype=np.uint64),
        np.full(blocks, stream, dtype=np.uint64),
        np.full(blocks, step % 2**32, dtype=np.uint64),
        np.full(blocks, index, dtype=np.uint64),
    )
    words = np.stack(philox(counter, (seed & 0xFFFFFFFF, seed >> 32)), axis=1).reshape(-1)[:count]
    return (words.astype(np.float64) + 0.5) * 2.0**-32


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Philox 4x32-10. Words of 32 bits are kept in uint64, where a 32 x 32 bit product fits without loss."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return c0, c1, c2, c3


# AS 241, PPND16: numerator and denominator, constant term first. Relative error about 1e-16.
# fmt: off
_CENTRE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2,
     5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
     2.8729085735721942674e4, 5.2264952788528545610e3),
)
_MIDDLE = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
     6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
     5.47593808499534494600e-4, 1.05075007164441684324e-9),
)
_TAIL = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
     1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
     1.42151175831644588870e-7, 2.04426310338993978564e-15),
)
# fmt: on

Rational = tuple[tuple[float, ...], tuple[float, ...]]


def inverse_normal_cdf(p: Floats) -> Floats:
    """The z with Phi(z) = p, for 0 < p < 1, computed alike on every platform."""
    q = p - 0.5
    # The tails' formula is evaluated for all and chosen by `where`: positions then never depend on the
    # values.
    centre = q * _ratio(_CENTRE, 0.180625 - q * q)
    r = np.sqrt(-_log(np.minimum(p, 1.0 - p)))
    outer = np.where(r <= 5.0, _ratio(_MIDDLE, r - 1.6), _ratio(_TAIL, r - 5.0))
    return np.where(np.abs(q) <= 0.425, centre, np.where(q < 0, -outer, outer))


def _ratio(rational: Rational, r: Floats) -> Floats:
    numerator, denominator = rational
    return _polynomial(numerator, r) / _polynomial(denominator, r)


def _polynomial(coefficients: Sequence[float], x: Floats) -> Floats:
    """Horner's rule, constant term first."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


_LN2 = 0.6931471805599453
_SQRT_HALF = 0.7071067811865476
_ATANH = tuple(1.0 / n for n in range(1, 23, 2))


def _log(x: Floats) -> Floats:
    """Natural logarithm of positive numbers: x = m 2**e with m near 1, log m = 2 artanh((m - 1) / (m + 1)).

    With m in [sqrt(1/2), sqrt(2)) the argument is below 0.1716, so that eleven terms reach the last bit.
    """
    m, e = np.frexp(x)
    low = m < _SQRT_HALF
    m = np.where(low, m + m, m)
    e = (e - low).astype(np.float64)
    s = (m - 1.0) / (m + 1.0)
    return e * _LN2 + 2.0 * s * _polynomial(_ATANH, s * s)
