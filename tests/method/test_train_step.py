"""Laws of the method."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method import losses
from gan3.method.noise import NOISE_DRAWS, draw_noise, latent_of
from tests.support import batch_of, small_system

SEED = tf.constant([5, 6])
OFF = Triple(1.0, 1.0, 1.0)
ROLES = Triple._fields


def values(network):
    return [w.numpy() for w in network.weights]


def moved(before, after):
    """For each variable, whether any entry changed."""
    return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


class Latent(unittest.TestCase):
    def test_ten_columns_of_noise_and_ninety_of_zeros(self):
        labels = tf.constant([0, 3, 9, 3])
        noise = draw_noise(labels, SEED, "example").numpy()
        latent = latent_of(labels, tf.constant(noise)).numpy()
        self.assertEqual(latent.shape, (4, 100))
        for row, digit in enumerate(labels.numpy()):
            own = slice(10 * digit, 10 * digit + 10)
            np.testing.assert_array_equal(latent[row, own], noise[row])
            self.assertEqual(np.count_nonzero(latent[row]), 10)

    def test_it_is_the_one_hot_times_the_noise_matrix(self):
        matrix = np.zeros((10, 100), np.float32)
        blocks = np.random.default_rng(0).uniform(-1, 1, (10, 10)).astype(np.float32)
        for digit in range(10):
            matrix[digit, 10 * digit : 10 * digit + 10] = blocks[digit]
        labels = np.array([7, 0, 2], np.int32)
        got = latent_of(tf.constant(labels), tf.constant(blocks[labels]))
        np.testing.assert_array_equal(got, np.eye(10, dtype=np.float32)[labels] @ matrix)

    def test_noise_is_uniform_in_minus_one_to_one(self):
        noise = draw_noise(tf.zeros([20_000], tf.int32), SEED, "example").numpy()
        self.assertTrue(-1 <= noise.min() < -0.999 < 0.999 < noise.max() < 1)
        # 200,000 draws of deviation 1/sqrt(3): the mean within five standard errors
        self.assertAlmostEqual(noise.mean(), 0, delta=5 / np.sqrt(3 * 200_000))
        self.assertAlmostEqual(noise.std(), 1 / np.sqrt(3), delta=0.005)

    def test_wrong_shapes_are_refused(self):
        with self.assertRaises(ValueError):
            latent_of(tf.zeros([4, 1], tf.int32), tf.zeros([4, 10]))
        with self.assertRaises(ValueError):
            latent_of(tf.zeros([4], tf.int32), tf.zeros([4, 100]))


class NoiseDraw(unittest.TestCase):
    """The three meanings of `noise_draw`, on four images of two digits and in two steps."""

    def rows_of(self, draw, labels):
        """The noise of two whole steps: [step, update, image, 10]."""
        system, drawn = small_system(noise_draw=draw), []
        original = system.noise
        system.noise = lambda *given: drawn.append(original(*given)) or drawn[-1]
        images, _ = batch_of(len(labels))

        @tf.function
        def step(seed):
            system.step(images, tf.constant(labels), seed)
            return tf.stack(drawn)

        return np.stack([step(tf.constant([9, number])).numpy() for number in (1, 2)])

    def test_one_an_image_one_a_step_one_a_run(self):
        """Both updates of a step make fakes: of two images of a digit 4 times a step, 8 in two."""
        for draw, of_step, of_both in (("example", 4, 8), ("batch", 1, 2), ("once", 1, 1)):
            rows = self.rows_of(draw, [3, 8, 3, 8])
            self.assertEqual(rows.shape, (2, 2, 4, 10))
            for images in ([0, 2], [1, 3]):
                own = rows[:, :, images].reshape(2, 4, 10)
                with self.subTest(draw, images=images):
                    self.assertEqual(len(np.unique(own[0], axis=0)), of_step)
                    self.assertEqual(len(np.unique(own[1], axis=0)), of_step)
                    self.assertEqual(len(np.unique(own.reshape(8, 10), axis=0)), of_both)

    def test_batch_shares_one_matrix_of_ten_rows(self):
        """Every digit has a row of its own in the step's matrix."""
        labels = [*range(10), *range(10)]
        rows = self.rows_of("batch", labels)[0].reshape(4, 10, 10)
        for again in rows[1:]:
            np.testing.assert_array_equal(again, rows[0])
        self.assertEqual(len(np.unique(rows[0], axis=0)), 10)

    def test_outside_a_step_batch_draws_like_example(self):
        labels = tf.constant(np.tile(np.arange(10, dtype=np.int32), 5))
        noise = {draw: small_system(noise_draw=draw).noise(labels, SEED) for draw in NOISE_DRAWS}
        np.testing.assert_array_equal(noise["batch"], noise["example"])
        self.assertEqual(len(np.unique(noise["batch"], axis=0)), 50)
        images, labels = batch_of(6)
        batch, example = (
            small_system(noise_draw=draw).evaluate(images, labels, SEED)
            for draw in ("batch", "example")
        )
        self.assertEqual(
            {tag: float(value) for tag, value in batch.items()},
            {tag: float(value) for tag, value in example.items()},
        )

    def test_once_is_the_runs_own_matrix(self):
        labels = tf.range(10)
        one = small_system(seed=1, noise_draw="once").noise(labels, SEED).numpy()
        same = small_system(seed=1, noise_draw="once").noise(labels, SEED).numpy()
        other = small_system(seed=2, noise_draw="once").noise(labels, SEED).numpy()
        np.testing.assert_array_equal(one, same)
        self.assertFalse(np.array_equal(one, other))
        self.assertEqual(len({row.tobytes() for row in one}), 10)

    def test_a_generator_of_one_matrix_knows_ten_images(self):
        system = small_system(noise_draw="once")
        labels = tf.constant(np.tile(np.arange(10, dtype=np.int32), 5))
        images = system.generate(labels, system.noise(labels, SEED)).numpy()
        for digit in range(10):
            same = images[digit::10]
            self.assertLess(np.abs(same - same[0]).max(), 1e-6)


class Losses(unittest.TestCase):
    def setUp(self):
        self.system = small_system()
        self.images, self.labels = batch_of(6)

    def losses(self, system):
        return Triple(
            system.generator_loss(self.labels, SEED),
            system.discriminator_loss(self.images, self.labels, SEED),
            system.determinator_loss(self.images, self.labels, SEED),
        )

    def test_which_loss_reaches_which_network(self):
        """Rows: loss of generator, discriminator, determinator; columns: the same networks."""
        system = small_system(l1_weight=Triple(0.0, 0.0, 0.0))
        reach = np.zeros((3, 3), int)

        @tf.function
        def gradients(row, column):
            weights = system.networks[column].weights
            found = tf.gradients(self.losses(system)[row], weights)
            return [tf.constant(0.0) if g is None else tf.reduce_max(tf.abs(g)) for g in found]

        for row in range(3):
            for column in range(3):
                reach[row, column] = any(float(g) > 0 for g in gradients(row, column))
        np.testing.assert_array_equal(reach, [[1, 1, 1], [1, 1, 0], [0, 0, 1]])

    def test_the_digit_loss_reaches_the_generator_and_never_the_discriminator(self):
        """Ten times the weight of the digit: other gradients for the generator alone."""

        def gradients(weight, role):
            system = small_system(digit_weight=weight)

            @tf.function
            def of_loss():
                loss = system.generator_loss(self.labels, SEED)
                return tf.gradients(loss, getattr(system.networks, role).weights)

            return np.concatenate([g.numpy().ravel() for g in of_loss()])

        for role, reached in (("generator", True), ("discriminator", False)):
            difference = np.abs(gradients(10.0, role) - gradients(1.0, role)).max()
            self.assertEqual(difference > 1e-6, reached, role)

    def test_closed_form_of_the_three(self):
        weight = 0.3
        system = small_system(keep_prob=OFF, digit_weight=weight, digit_loss="softmax_mean")
        got = self.losses(system)
        l1 = Triple(
            *(
                rate * sum(np.abs(w.numpy()).sum() for w in network.l1_weights)
                for rate, network in zip((1e-5, 2e-5, 3e-5), system.networks, strict=True)
            )
        )

        def softplus(x):
            return np.log1p(np.exp(x)).mean()

        def digit(logits):
            log_sum = np.log(np.exp(logits).sum(axis=1))
            return (log_sum - logits[np.arange(6), self.labels.numpy()]).mean()

        fake_seed = tf.random.split(SEED, 3)[0]
        fakes = system.fakes(self.labels, fake_seed)
        to_real = softplus(-system.networks.discriminator(fakes, 1.0, SEED).numpy())
        to_digit = digit(system.networks.determinator(fakes, 1.0, SEED).numpy())
        self.assertAlmostEqual(float(got[0]), to_real + weight * to_digit + l1[0], delta=1e-4)

        fakes = system.fakes(self.labels, tf.random.split(SEED, 2)[0])
        real = softplus(-system.networks.discriminator(self.images, 1.0, SEED).numpy())
        fake = softplus(system.networks.discriminator(fakes, 1.0, SEED).numpy())
        self.assertAlmostEqual(float(got[1]), real + fake + l1[1], delta=1e-4)

        real = digit(system.networks.determinator(self.images, 1.0, SEED).numpy())
        self.assertAlmostEqual(float(got[2]), real + l1[2], delta=1e-4)

    def test_dropout_is_on_in_the_losses_and_off_in_evaluation(self):
        for role in range(3):
            keep = Triple(*(0.5 if i == role else 1.0 for i in range(3)))
            system, plain = small_system(keep_prob=keep), small_system(keep_prob=OFF)
            with self.subTest(ROLES[role]):
                a, b = self.losses(system)[role], self.losses(plain)[role]
                self.assertNotAlmostEqual(float(a), float(b), places=5)
                a, b = (s.evaluate(self.images, self.labels, SEED) for s in (system, plain))
                for tag in a:
                    self.assertEqual(float(a[tag]), float(b[tag]), tag)

    def test_evaluation_has_no_l1_and_changes_nothing(self):
        heavy = small_system(l1_weight=Triple(1.0, 1.0, 1.0))
        before = {name: v.numpy() for name, v in heavy.state.items()}
        a = heavy.evaluate(self.images, self.labels, SEED)
        b = self.system.evaluate(self.images, self.labels, SEED)
        self.assertEqual({t: float(v) for t, v in a.items()}, {t: float(v) for t, v in b.items()})
        for name, v in heavy.state.items():
            np.testing.assert_array_equal(v.numpy(), before[name])

    def test_evaluation_is_what_its_tags_say(self):
        got = {t: float(v) for t, v in self.system.evaluate(self.images, self.labels, SEED).items()}
        fakes = self.system.fakes(self.labels, SEED, train=False)
        critic, determinator = self.system.networks[1:]
        real_logits, fake_logits = critic(self.images, 1.0, SEED), critic(fakes, 1.0, SEED)
        real, fake = determinator(self.images, 1.0, SEED), determinator(fakes, 1.0, SEED)
        labels = self.labels.numpy()
        expected = {
            "loss/discriminator": losses.real_fake_cross_entropy(real_logits, 1.0)
            + losses.real_fake_cross_entropy(fake_logits, 0.0),
            "loss/generator_real": losses.real_fake_cross_entropy(fake_logits, 1.0),
            "loss/determinator": losses.digit_cross_entropy(real, self.labels, "softmax_mean"),
            "loss/generator_digit": losses.digit_cross_entropy(fake, self.labels, "softmax_mean"),
            "accuracy/discriminator_real": (real_logits.numpy() > 0).mean(),
            "accuracy/discriminator_fake": (fake_logits.numpy() < 0).mean(),
            "accuracy/determinator_real": (real.numpy().argmax(1) == labels).mean(),
            "accuracy/determinator_fake": (fake.numpy().argmax(1) == labels).mean(),
        }
        self.assertEqual(set(got), set(expected))
        for tag, value in expected.items():
            self.assertAlmostEqual(got[tag], float(value), delta=1e-5, msg=tag)


class Updates(unittest.TestCase):
    def setUp(self):
        self.images, self.labels = batch_of(6)

    def test_each_optimizer_moves_only_its_own_network(self):
        for role in ROLES:
            system = small_system()
            before = [values(network) for network in system.networks]

            @tf.function
            def update(system=system, role=role):
                arguments = (self.labels,) if role == "generator" else (self.images, self.labels)
                system._update(role, getattr(system, f"{role}_loss")(*arguments, SEED))

            update()
            for name, network, old in zip(ROLES, system.networks, before, strict=True):
                with self.subTest(update=role, network=name):
                    self.assertEqual(set(moved(old, values(network))), {name == role})

    def test_a_step_moves_every_variable_of_all_three_once(self):
        system = small_system()
        before = [values(network) for network in system.networks]
        tf.function(system.step)(self.images, self.labels, SEED)
        for network, old in zip(system.networks, before, strict=True):
            self.assertEqual(set(moved(old, values(network))), {True}, network.name)
        self.assertEqual([int(adam.steps) for adam in system.optimizers], [1, 1, 1])

    def test_order_is_discriminator_generator_determinator(self):
        def train(order):
            system = small_system()

            @tf.function
            def update():
                seeds = dict(
                    zip(
                        ("discriminator", "generator", "determinator"),
                        tf.unstack(tf.random.split(SEED, 3)),
                        strict=True,
                    )
                )
                for role in order:
                    given = (self.labels,) if role == "generator" else (self.images, self.labels)
                    system._update(role, getattr(system, f"{role}_loss")(*given, seeds[role]))

            update()
            return np.concatenate([v.ravel() for v in values(system.networks.generator)])

        system = small_system()
        tf.function(system.step)(self.images, self.labels, SEED)
        got = np.concatenate([v.ravel() for v in values(system.networks.generator)])
        right = train(("discriminator", "generator", "determinator"))
        np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-6)
        # The generator's own update sees a discriminator that has moved, a determinator that has
        # not: in any order in which that is otherwise, its weights end elsewhere.
        for order in (
            ("generator", "discriminator", "determinator"),
            ("discriminator", "determinator", "generator"),
        ):
            self.assertGreater(np.abs(train(order) - right).max(), 1e-5, order)

    def test_fakes_are_drawn_afresh_for_the_generators_update(self):
        """Both losses draw their fakes from parts of the step's seed that differ."""
        system, drawn = small_system(), []
        original = system.fakes
        system.fakes = lambda *given: drawn.append(original(*given)) or drawn[-1]
        seeds = tf.random.split(SEED, 3)
        system.discriminator_loss(self.images, self.labels, seeds[0])
        system.generator_loss(self.labels, seeds[1])
        self.assertEqual(len(drawn), 2)
        self.assertGreater(float(tf.reduce_max(tf.abs(drawn[0] - drawn[1]))), 1e-3)

    def test_a_step_says_whose_loss_or_gradient_is_not_finite(self):
        """A poisoned network spoils the losses that it is in, and no other."""
        for poisoned, expected in (
            (None, set()),
            ("determinator", {"generator", "determinator"}),
            ("discriminator", {"generator", "discriminator"}),
            ("generator", {"generator", "discriminator"}),
        ):
            system = small_system()
            if poisoned:
                bias = getattr(system.networks, poisoned).weights[-1]
                bias.assign(tf.fill(bias.shape, np.float32(np.nan)))
            finite = tf.function(system.step)(self.images, self.labels, SEED)
            self.assertEqual(set(finite), set(ROLES))
            spoilt = {role for role, good in finite.items() if not good}
            self.assertEqual(spoilt, expected, poisoned)

    def test_a_gradient_may_overflow_where_the_loss_does_not(self):
        """Features of 100 times a slope of 1e38, behind a hidden unit of next to nothing."""
        system = small_system()
        _, _, _, conv_b, hidden_w, hidden_b, logits_w, _ = system.networks.determinator.weights
        conv_b.assign(tf.fill(conv_b.shape, 100.0))
        hidden_w.assign(tf.zeros(hidden_w.shape))
        hidden_b.assign(tf.fill(hidden_b.shape, 1e-34))
        logits_w.assign(tf.zeros(logits_w.shape))
        logits_w[0, 0].assign(1e38)
        loss = system.determinator_loss(self.images, self.labels, SEED)
        self.assertTrue(np.isfinite(loss))
        finite = tf.function(system.step)(self.images, self.labels, SEED)
        self.assertFalse(finite["determinator"])

    def test_l1_moves_exactly_the_dense_matrices(self):
        """Two steps that differ in the L1 weights alone: other weights feel it only later."""
        nothing, heavy = Triple(0.0, 0.0, 0.0), Triple(0.5, 0.5, 0.5)
        for role in ROLES:
            systems = [small_system(l1_weight=l1, keep_prob=OFF) for l1 in (nothing, heavy)]
            after = []
            for system in systems:

                @tf.function
                def update(system=system, role=role):
                    given = (self.labels,) if role == "generator" else (self.images, self.labels)
                    loss = getattr(system, f"{role}_loss")(*given, SEED)
                    return tf.gradients(loss, getattr(system.networks, role).weights)

                after.append([g.numpy() for g in update()])
            network = getattr(systems[0].networks, role)
            for w, plain, shrunk in zip(network.weights, *after, strict=True):
                listed = any(w is one for one in network.l1_weights)
                expected = 0.5 * np.sign(w.numpy()) if listed else 0.0
                np.testing.assert_allclose(shrunk - plain, expected, atol=1e-4, err_msg=w.name)

    def test_the_same_seed_gives_the_same_bits_and_another_does_not(self):
        def trained(seed):
            system = small_system(seed=seed)
            step = tf.function(system.step)
            for i in range(2):
                step(self.images, self.labels, tf.constant([seed, i]))
            return {name: v.numpy().tobytes() for name, v in system.state.items()}

        one = trained(1)
        self.assertEqual(one, trained(1))
        self.assertNotEqual(one, trained(2))

    def test_determinator_learns_from_real_images_alone(self):
        """Another generator, the same determinator after the step."""
        after = []
        for scale in (1.0, 3.0):
            system = small_system()
            for w in system.networks.generator.weights:
                w.assign(w * scale + 0.01 * (scale - 1))
            tf.function(system.step)(self.images, self.labels, SEED)
            after.append(values(system.networks.determinator))
        for a, b in zip(*after, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)

    def test_bfloat16_trains(self):
        system = small_system(dtype="bfloat16")
        before = values(system.networks.generator)
        tf.function(system.step)(self.images, self.labels, SEED)
        after = values(system.networks.generator)
        self.assertTrue(all(moved(before, after)))
        self.assertTrue(all(np.isfinite(w).all() for w in after))


class State(unittest.TestCase):
    def test_state_is_every_variable_once(self):
        system = small_system()
        weights = sum(len(network.weights) for network in system.networks)
        self.assertEqual(weights, 3 * 8)
        self.assertEqual(len(system.state), weights + 2 * weights + 3)  # m and v, three counts

    def test_recognise_gives_probabilities(self):
        images, _ = batch_of(3)
        got = small_system().classify(images).numpy()
        self.assertEqual(got.shape, (3, 10))
        np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-5)

    def test_words_of_the_config_are_the_words_of_the_method(self):
        from gan3.core.config import CHOICES
        from gan3.nn.initializers import INITIALIZERS
        from gan3.nn.layers import ACTIVATIONS

        self.assertEqual(CHOICES["noise_draw"], NOISE_DRAWS)
        self.assertEqual(set(CHOICES["activation"]), set(ACTIVATIONS))
        self.assertEqual(set(CHOICES["init"]), set(INITIALIZERS))
        self.assertEqual(CHOICES["digit_loss"], losses.DIGIT_LOSSES)


if __name__ == "__main__":
    unittest.main()
