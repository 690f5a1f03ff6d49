import unittest

from gan3.core.errors import UserError
from gan3.runs import registry


class Catalogue(unittest.TestCase):
    def test_every_experiment_is_whole(self):
        self.assertLessEqual({"three_network", "published_code"}, set(registry.names()))
        for name in registry.names():
            with self.subTest(name):
                self.assertEqual(registry.config_of(name).experiment, name)
                self.assertTrue(registry.summary_of(name).endswith("."))
                self.assertLess(len(registry.summary_of(name)), 80)
                self.assertTrue(callable(registry.builder_of(name)))

    def test_unknown_names_are_refused_with_the_known_ones(self):
        for name in ("three_networks", "", "__init__", "../x", "os"):
            with self.assertRaisesRegex(UserError, "unknown; there are .*three_network"):
                registry.config_of(name)


class Best(unittest.TestCase):
    def test_weights_that_would_do_nothing_are_refused_whatever_the_order_they_came_in(self):
        config = registry.config_of("best").with_text("reading_weight", "0")
        with self.assertRaisesRegex(UserError, "redrawn_weight: nothing is redrawn"):
            registry.builder_of("best")(config, "float32")
        registry.builder_of("best")(config.with_text("redrawn_weight", "0"), "float32")

    def test_the_long_one_is_the_same_for_longer(self):
        best, long = registry.config_of("best"), registry.config_of("best_long")
        self.assertEqual(best.differences(long), ["experiment", "batches"])
        self.assertEqual(long.batches, 2000)


class ThreeNetwork(unittest.TestCase):
    """What the description fixes is exact in the default experiment."""

    def test_schedule_and_method(self):
        config = registry.config_of("three_network")
        self.assertEqual((config.batch_size, config.batches, config.episodes), (100, 200, 10))
        self.assertEqual(config.log_every, 10)
        self.assertEqual((config.noise_draw, config.init), ("example", "glorot"))
        for keep, weight in zip(config.keep_prob, config.l1_weight, strict=True):
            self.assertLess(keep, 1)  # dropout in each
            self.assertGreater(weight, 0)  # L1 in each


class PublishedCode(unittest.TestCase):
    def test_the_scripts_own_values(self):
        config = registry.config_of("published_code")
        self.assertEqual((config.batch_size, config.batches, config.episodes), (100, 2000, 10))
        self.assertEqual((config.noise_draw, config.init), ("once", "published"))
        self.assertEqual((config.digit_loss, config.digit_weight), ("sigmoid_sum", 1.0))
        self.assertEqual(set(config.keep_prob), {0.5})
        self.assertEqual(set(config.l1_weight), {0.001})
        self.assertEqual(set(config.learning_rate), {0.001})
        self.assertEqual(set(config.beta1), {0.9})
        self.assertEqual(set(config.activation), {"elu"})


if __name__ == "__main__":
    unittest.main()
