"""Laws of the random numbers and of configs, for inputs that nobody picked."""

import dataclasses
import json
import unittest
from typing import Annotated, Literal, get_args, get_origin

import numpy as np
import tensorflow as tf

from gan3.baselines.config import AuxiliaryGanConfig, BatchNormGanConfig
from gan3.core import philox
from gan3.core.config import RunConfig, Sizes, as_text, field_types
from gan3.core.errors import UserError
from gan3.core.triple import Pair, Triple
from gan3.method.config import ThreeNetworkConfig
from gan3.runs.registry import config_of
from gan3.vae_gan.config import VaeGanConfig
from tests.core.test_config import LONGEST_MESSAGE, ExampleConfig
from tests.properties import JSON, assume, given, st

INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
COUNTS = st.integers(1, 70)
FAMILIES = (
    RunConfig,
    ThreeNetworkConfig,
    VaeGanConfig,
    type(config_of("mlp_gan")),
    BatchNormGanConfig,
    AuxiliaryGanConfig,
    ExampleConfig,
)


class Philox(unittest.TestCase):
    """Against TensorFlow's own, of seeds of 32 and of 64 bits."""

    def draw(self, function, count, seed, *arguments):
        return function([count], tf.constant(seed, tf.int64), *arguments, alg="philox").numpy()

    @given(COUNTS, st.tuples(INT64, INT64))
    def test_uniform_numbers_bit_for_bit(self, count, seed):
        for low, high in ((0.0, 1.0), (-1.0, 1.0)):
            expected = self.draw(tf.random.stateless_uniform, count, seed, low, high)
            got = philox.uniform(count, seed, low, high)
            self.assertEqual(got.tobytes(), expected.tobytes())

    @given(COUNTS, st.tuples(INT64, INT64), st.data())
    def test_uniform_numbers_of_any_range(self, count, seed, data):
        """The last bit may differ: a processor can multiply and add with a single rounding."""
        numbers = st.floats(-1000, 1000, width=32)
        low, high = data.draw(numbers), data.draw(numbers)
        assume(high - low > 1e-30)  # TensorFlow has no numbers below 1e-38 but zero
        expected = self.draw(tf.random.stateless_uniform, count, seed, low, high)
        got = philox.uniform(count, seed, low, high)
        one_bit = np.spacing(np.float32(max(abs(low), abs(high), high - low)))
        self.assertLessEqual(np.abs(got - expected).max(), one_bit)

    @given(COUNTS, st.tuples(INT64, INT64))
    def test_normal_numbers_but_for_the_last_bits(self, count, seed):
        expected = self.draw(tf.random.stateless_normal, count, seed)
        np.testing.assert_allclose(philox.normal(count, seed), expected, atol=2e-6)

    @given(st.tuples(INT32, INT32), st.integers(0, 2**31 - 1))
    def test_folded_seeds(self, seed, number):
        expected = tf.random.fold_in(tf.constant(seed, tf.int32), number)
        self.assertEqual(philox.fold_in(seed, number), tuple(expected.numpy().tolist()))

    def test_normal_numbers_have_mean_0_and_variance_1(self):
        numbers = philox.normal(100_000, (3, 4)).astype(np.float64)
        self.assertLess(abs(numbers.mean()), 4 / np.sqrt(100_000))
        self.assertLess(abs(numbers.var() - 1), 4 * np.sqrt(2 / 100_000))

    @given(COUNTS, COUNTS, st.tuples(INT64, INT64))
    def test_fewer_numbers_are_the_beginning_of_more(self, count, more, seed):
        for function in (lambda n: philox.uniform(n, seed, 0, 1), lambda n: philox.normal(n, seed)):
            longer = function(count + more)
            self.assertEqual(function(count).tobytes(), longer[:count].tobytes())


def values_of(kind):
    """Values of a field's type, within its limits."""
    if get_origin(kind) in (Triple, Pair):
        (entry,) = get_args(kind)
        count = len(get_origin(kind)._fields)
        entries = st.tuples(*[values_of(entry)] * count)
        return entries.map(lambda values: get_origin(kind)(*values))
    limits = None
    if get_origin(kind) is Annotated:
        kind, limits = get_args(kind)[:2]
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if isinstance(limits, Sizes):
        sizes = st.integers(1, 8192)
        return st.lists(sizes, min_size=limits.min_count, max_size=limits.max_count).map(tuple)
    if kind is bool:
        return st.booleans()
    if kind is str:
        return st.text(max_size=20)
    if kind is int:
        return st.integers(limits.low, limits.high)
    return st.floats(limits.low, limits.high, exclude_min=not limits.includes_low)


def fields_of(family):
    """A value for each field of a family of configs, with few enough steps."""
    fields = {name: values_of(kind) for name, kind in field_types(family).items()}
    fields |= {"episodes": st.integers(1, 1000), "batches": st.integers(1, 100_000)}
    return st.fixed_dictionaries(fields)


CONFIGS = st.sampled_from(FAMILIES).flatmap(
    lambda family: fields_of(family).map(lambda fields: family(**fields))
)
PAIRS = st.sampled_from(FAMILIES).flatmap(
    lambda family: st.tuples(*[fields_of(family).map(lambda fields: family(**fields))] * 2)
)
TEXTS = st.text(max_size=60) | st.sampled_from(
    ["", ",", "nan", "inf", "-inf", "1e999", "0x10", "1_000", "٣", "true,false", "9" * 5000, " 1"]
)
NOT_BY_TEXT = ("experiment", "experiment_file")


class Configs(unittest.TestCase):
    @given(CONFIGS)
    def test_from_dict_is_the_inverse_of_to_dict_through_json(self, config):
        values = json.loads(json.dumps(config.to_dict()))
        back = type(config).from_dict(values)
        self.assertEqual(back, config)
        self.assertEqual(back.to_dict(), config.to_dict())
        self.assertEqual(hash(back), hash(config))

    @given(PAIRS)
    def test_texts_turn_one_config_into_another(self, configs):
        start, end = configs
        identity = {name: getattr(end, name) for name in NOT_BY_TEXT}
        config = dataclasses.replace(start, **identity)
        for name in field_types(type(end)):
            if name not in NOT_BY_TEXT:
                config = config.with_text(name, as_text(getattr(end, name)))
        self.assertEqual(config, end)

    @given(PAIRS, st.data())
    def test_one_text_changes_one_field(self, configs, data):
        start, end = configs
        name = data.draw(st.sampled_from(sorted(set(field_types(type(end))) - set(NOT_BY_TEXT))))
        changed = start.with_text(name, as_text(getattr(end, name)))
        self.assertLessEqual(set(start.differences(changed)), {name})
        self.assertEqual(getattr(changed, name), getattr(end, name))
        for role in getattr(getattr(end, name), "_fields", ()):
            changed = start.with_text(f"{name}.{role}", as_text(getattr(getattr(end, name), role)))
            wanted = getattr(start, name)._replace(**{role: getattr(getattr(end, name), role)})
            self.assertEqual(getattr(changed, name), wanted)

    @given(PAIRS)
    def test_differences(self, configs):
        a, b = configs
        self.assertEqual(a.differences(a), [])
        self.assertEqual(sorted(a.differences(b)), sorted(b.differences(a)))
        self.assertEqual(a == b, not a.differences(b))

    @given(CONFIGS, st.data(), TEXTS)
    def test_any_text_gives_a_config_or_one_line(self, config, data, text):
        names = sorted(field_types(type(config)))
        key = data.draw(st.sampled_from(names) | st.text(max_size=20))
        key += data.draw(st.sampled_from(["", ".generator", ".", ".x"]))
        try:
            changed = config.with_text(key, text)
        except UserError as error:
            self.assertLess(len(str(error)), LONGEST_MESSAGE)
            self.assertNotIn("\n", str(error))
        else:
            self.assertEqual(type(changed).from_dict(changed.to_dict()), changed)

    @given(CONFIGS, st.data())
    def test_any_json_value_gives_a_config_or_one_line(self, config, data):
        key = data.draw(st.sampled_from(sorted(field_types(type(config)))))
        changed = config.to_dict() | {key: data.draw(JSON)}
        try:
            back = type(config).from_dict(changed)
        except UserError as error:
            self.assertLess(len(str(error)), LONGEST_MESSAGE)
            self.assertNotIn("\n", str(error))
        else:
            self.assertEqual(back.to_dict()[key], changed[key])
