"""TensorFlow's stateless random numbers, in NumPy: noise for a seed without TensorFlow.

The generator is Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
It is written out here because NumPy's own Philox has words of 64 bits and so gives other numbers.
A function with a `seed` takes the two integers of a stateless seed, as `core.seeds.seed_of` returns
them. `tests/core/test_properties.py` compares every function with TensorFlow's.
"""

import numpy as np

Seed = tuple[int, int]

_ROUNDS = 10
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
_SCRAMBLE_KEY = 0x3EC8F720, 0x02461E29  # with which TensorFlow makes a key of a seed
_LOW, _HIGH_BITS = np.uint64(0xFFFFFFFF), np.uint64(32)
_LEAST_UNIFORM = np.float32(1e-7)  # in place of a zero, which has no logarithm


def uniform(count: int, seed: Seed, low: float, high: float) -> np.ndarray:
    """`count` numbers of U(low, high), float32: bit for bit tf.random.stateless_uniform."""
    low, high = np.float32(low), np.float32(high)
    return _unit(_words(count, seed)) * (high - low) + low


def normal(count: int, seed: Seed) -> np.ndarray:
    """`count` numbers of N(0, 1), float32, as tf.random.stateless_normal has them.

    Equal but for the last bits of logarithm, sine and cosine (Box & Muller 1958).
    """
    pairs = _unit(_words(count + count % 2, seed)).reshape(-1, 2)
    radius = np.sqrt(np.float32(-2) * np.log(np.maximum(pairs[:, 0], _LEAST_UNIFORM)))
    angle = np.float32(2 * np.pi) * pairs[:, 1]
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1).ravel()[:count]


def fold_in(seed: Seed, number: int) -> Seed:
    """The seed of part `number` of what `seed` draws: tf.random.fold_in."""
    return int(_words(1, seed).view(np.int32)[0]), number


def _words(count: int, seed: Seed) -> np.ndarray:
    """The first `count` random words of a seed, uint32."""
    # The seed is a counter of four words under a fixed key. What comes out is the key of the
    # numbers, and the upper half of their counter; the lower half counts blocks of four words.
    first, second = (int(part) % 2**64 for part in seed)
    start = [first % 2**32, first >> 32, second % 2**32, second >> 32]
    key0, key1, upper0, upper1 = _philox(np.array([start], np.uint64), _SCRAMBLE_KEY)[0]
    blocks = -(-count // 4)
    counters = np.zeros((blocks, 4), np.uint64)
    counters[:, 0] = np.arange(blocks)
    counters[:, 2:] = upper0, upper1
    return _philox(counters, (int(key0), int(key1))).ravel()[:count].astype(np.uint32)


def _philox(counters: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """The words [N, 4] of counters [N, 4], both uint64 below 2^32."""
    a, b, c, d = counters.T
    for step in range(_ROUNDS):
        key0, key1 = (
            np.uint64((part + step * size) % 2**32)
            for part, size in zip(key, _KEY_STEPS, strict=True)
        )
        first, second = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]  # at most 64 bits
        a, b, c, d = (
            (second >> _HIGH_BITS) ^ b ^ key0,
            second & _LOW,
            (first >> _HIGH_BITS) ^ d ^ key1,
            first & _LOW,
        )
    return np.stack([a, b, c, d], axis=1)


def _unit(words: np.ndarray) -> np.ndarray:
    """Words in [0, 1), float32: 23 bits as the fraction of a number in [1, 2), less 1."""
    one = np.uint32(0x3F800000)  # the bits of 1.0
    return (words & np.uint32(0x7FFFFF) | one).view(np.float32) - np.float32(1)
