"""Noise is the same everywhere: known answers, a second implementation in plain Python, hashes, and its
statistics.
"""

from __future__ import annotations

import hashlib
import math
from statistics import NormalDist

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from triptych.sampling import noise

# Known answers of the authors' own library (Random123, kat_vectors, philox4x32 with 10 rounds).
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_known_answers(counter: tuple[int, ...], key: tuple[int, int], answer: tuple[int, ...]) -> None:
    c0, c1, c2, c3 = (np.array([word], dtype=np.uint64) for word in counter)
    assert tuple(int(word[0]) for word in noise.philox((c0, c1, c2, c3), key)) == answer


# sha256 of the numbers as little-endian bytes. These may never change: every recipe in the world depends on
# them.
NORMAL_HASHES = {
    (0, 0, -1, (16, 16, 16)): "b27d5349e69c403eda1db2df4595c4acc849648cb2113ee3a0a65de805d50330",
    (7, 0, -1, (16, 32, 32)): "6e79ac3d78c351126f76011ae4b141b5ddda148e7e7f4418725a9e51d0252e62",
    (7, 1, -1, (16, 32, 32)): "a48b73f3a2273372978ec70e9ae572426860574789b026994a55dc8d088efe7b",
    (7, 0, 0, (16, 32, 32)): "adf3d662aa4d2d0524064a4ebd9299e92caee59c1b511313805ea33cbb891b52",
    (7, 0, 19, (4, 64, 64)): "1021d21eac77a6019962bda4611917bc407cd1e74422d87bea3773ab61e59074",
    (2**63 - 1, 63, 999, (3, 5, 7)): "765058b4a48d02a64f4941520445b8228b0d08296a41407428f4ff0e20623b45",
    (2**64 - 1, 2**32 - 1, 2**32 - 2, (11,)): "5d7244f6cf493d37f34078e89a6161dca51d6d10a378ebf167774cd010354c88",
}
UNIFORM_HASHES = {
    (0, 0, -1, (256,)): "6d817c90ad8f5624dd0af1cf99b42239e862890d946e94bd8798f106bc233a39",
    (7, 2, 100, (1,)): "ec9846077551ed2d37d827127651833ee1cbcf3cf70d8eaa54a71f90a1906ca4",
}


def digest(x: Tensor) -> str:
    array = x.numpy()
    return hashlib.sha256(array.astype(array.dtype.newbyteorder("<")).tobytes()).hexdigest()


@pytest.mark.parametrize(("address", "sha256"), NORMAL_HASHES.items())
def test_normal_hashes(address: tuple[int, int, int, tuple[int, ...]], sha256: str) -> None:
    x = noise.normal(*address)
    assert x.dtype == torch.float32
    assert x.shape == address[3]
    assert digest(x) == sha256


@pytest.mark.parametrize(("address", "sha256"), UNIFORM_HASHES.items())
def test_uniform_hashes(address: tuple[int, int, int, tuple[int, ...]], sha256: str) -> None:
    assert digest(noise.uniform(*address)) == sha256


def test_thread_count_and_neighbours_change_nothing() -> None:
    threads = torch.get_num_threads()
    expected = noise.normal(7, 1, -1, (16, 32, 32))
    try:
        for count in (1, 2, 4):
            torch.set_num_threads(count)
            others = [noise.normal(seed, 0, -1, (64, 64)) for seed in range(3)]
            assert torch.equal(noise.normal(7, 1, -1, (16, 32, 32)), expected)
            assert len(others) == 3
    finally:
        torch.set_num_threads(threads)


def scalar_normal(word: int) -> float:
    """AS 241 written again for one number in plain Python floats: every operation is one IEEE 754 operation."""

    def horner(coefficients: tuple[float, ...], x: float) -> float:
        total = coefficients[-1]
        for coefficient in coefficients[-2::-1]:
            total = total * x + coefficient
        return total

    def log(x: float) -> float:
        m, e = math.frexp(x)
        if m < 0.7071067811865476:
            m, e = m * 2, e - 1
        s = (m - 1) / (m + 1)
        return e * 0.6931471805599453 + 2 * s * horner(tuple(1 / n for n in range(1, 23, 2)), s * s)

    p = (word + 0.5) / 2**32
    q = p - 0.5
    if abs(q) <= 0.425:
        numerator, denominator = noise._CENTRE
        r = 0.180625 - q * q
        return q * (horner(numerator, r) / horner(denominator, r))
    r = math.sqrt(-log(min(p, 1 - p)))
    r, (numerator, denominator) = (r - 1.6, noise._MIDDLE) if r <= 5 else (r - 5, noise._TAIL)
    z = horner(numerator, r) / horner(denominator, r)
    return -z if q < 0 else z


def test_vectorized_equals_scalar_bitwise() -> None:
    """Plain Python neither fuses nor vectorizes, so equality shows that no platform-dependent rounding is in
    use.
    """
    edges = [0, 1, 2**31 - 1, 2**31, 2**32 - 1, int(0.075 * 2**32), int(math.exp(-25) * 2**32)]
    words = edges + np.random.default_rng(0).integers(0, 2**32, 4000).tolist()
    p = (np.array(words, dtype=np.float64) + 0.5) / 2**32
    assert noise.inverse_normal_cdf(p).tolist() == [scalar_normal(word) for word in words]


def test_inverse_normal_cdf_is_right_in_the_far_tails() -> None:
    p = np.concatenate([10.0 ** -np.arange(1, 300, 7), 1 - 10.0 ** -np.arange(1, 15), [0.5, 0.075, 0.925]])
    expected = [NormalDist().inv_cdf(value) for value in p]
    np.testing.assert_allclose(noise.inverse_normal_cdf(p), expected, rtol=2e-15, atol=1e-15)


def test_normal_statistics() -> None:
    x = noise.normal(3, 0, -1, (1 << 20,)).double()
    n = len(x)
    assert abs(x.mean()) < 4 / math.sqrt(n)
    assert abs(x.var() - 1) < 4 * math.sqrt(2 / n)
    assert abs((x**3).mean()) < 4 * math.sqrt(15 / n)
    assert abs((x**4).mean() - 3) < 4 * math.sqrt(96 / n)
    # Kolmogorov-Smirnov: sqrt(n) D is below 1.95 with probability 0.999.
    cdf = torch.special.ndtr(x.sort().values)
    ranks = torch.arange(n + 1, dtype=torch.float64) / n
    distance = torch.maximum(ranks[1:] - cdf, cdf - ranks[:-1]).max()
    assert distance * math.sqrt(n) < 1.95


def test_uniform_statistics_and_range() -> None:
    u = noise.uniform(3, 0, -1, (1 << 18,))
    assert u.dtype == torch.float64
    assert u.min() > 0
    assert u.max() < 1
    counts = torch.histc(u, bins=64, min=0, max=1)
    expected = len(u) / 64
    assert ((counts - expected) ** 2 / expected).sum() < 118  # chi^2, 63 degrees of freedom, p = 0.00003


def test_addresses_are_unrelated() -> None:
    n = 1 << 14
    draws = [noise.normal(*address, (n,)) for address in [(7, 0, -1), (8, 0, -1), (7, 1, -1), (7, 0, 0), (7, 0, 1)]]
    draws.append(torch.special.ndtri(noise.uniform(7, 0, -1, (n,))).float())
    correlation = torch.corrcoef(torch.stack(draws)) - torch.eye(len(draws))
    assert correlation.abs().max() < 5 / math.sqrt(n)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(-1, 2**32 - 2), st.integers(0, 40))
def test_a_shorter_draw_is_the_beginning_of_a_longer_one(seed: int, index: int, step: int, count: int) -> None:
    assert torch.equal(noise.normal(seed, index, step, (count,)), noise.normal(seed, index, step, (41,))[:count])


def test_a_reshape_keeps_the_numbers_and_channels_are_shared() -> None:
    assert torch.equal(noise.normal(1, 0, -1, (4, 6)).reshape(2, 12), noise.normal(1, 0, -1, (2, 12)))
    assert torch.equal(noise.normal(1, 0, -1, (4, 8, 8)), noise.normal(1, 0, -1, (16, 8, 8))[:4])


def test_global_generators_are_left_alone() -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    noise.normal(1, 0, -1, (100,))
    noise.uniform(1, 0, -1, (100,))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ((-1, 0, 0), "seed"),
        ((2**64, 0, 0), "seed"),
        ((0, -1, 0), "index"),
        ((0, 2**32, 0), "index"),
        ((0, 0, -2), "step"),
    ],
)
def test_out_of_range(address: tuple[int, int, int], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        noise.normal(*address, (2,))
