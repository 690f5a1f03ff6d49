"""The method on one screen: three networks, three losses, three updates in a fixed order.

"Determinator" is this design's word for what the literature calls the auxiliary classifier
(AC-GAN, Triple-GAN, ControlGAN): the network that says which digit an image shows.
"""

from dataclasses import dataclass

import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method import losses
from gan3.method.networks import DenseLayer, Generator, determinator, discriminator
from gan3.method.noise import draw_noise, latent_of, soft_latent
from gan3.nn.adam import Adam
from gan3.nn.initializers import INITIALIZERS, Glorot
from gan3.nn.layers import finite


@dataclass(frozen=True)
class Choices:
    """What the description leaves open: the names and meanings are the config's."""

    noise_draw: str
    init: str
    activation: Triple[str]
    keep_prob: Triple[float]
    l1_weight: Triple[float]
    learning_rate: Triple[float]
    beta1: Triple[float]
    digit_loss: str
    digit_weight: float  # of the determinator's part of the generator's loss


class ThreeNetworks:
    """The system of this project: what it trains, and the step that trains it.

    All draws are functions of `seed` and of the step's own seed. It computes in `dtype`.
    """

    class_conditional = has_classifier = (
        True  # it draws the digit asked for, and says which one it sees
    )
    noise_distribution, pixel_min = (
        "uniform",
        0.0,
    )  # of the noise, and of a pixel as the generator has it

    def __init__(self, choices: Choices, seed: int, dtype: str = "float32"):
        self._choices, self._keep_prob = choices, choices.keep_prob
        self._noise_seed = [seed, 1]
        self.networks = self._make(INITIALIZERS[choices.init](seed), dtype)
        rates = zip(self.networks, choices.learning_rate, choices.beta1, strict=True)
        self.optimizers: Triple[Adam] = Triple(
            *(
                Adam(network.weights, rate, b1, f"adam/{network.name}")
                for network, rate, b1 in rates
            )
        )

    def _make(self, init: Glorot, dtype: str) -> Triple:
        make = zip((Generator, discriminator, determinator), self._choices.activation, strict=True)
        return Triple(*(build(init, activation, dtype) for build, activation in make))

    # -- the step ------------------------------------------------------------------------------

    def step(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Three updates: discriminator, generator, determinator; each moves only its own list.

        images: [B, 28, 28, 1] real, in 0..1; labels: [B], also what the fakes are asked to show.
        Answers, by network, whether its loss and gradients were finite.
        """
        with tf.name_scope("losses"):
            seeds = tf.random.split(seed, 3)
            shared = tf.random.fold_in(seed, 3)  # of the one matrix of noise_draw "batch"
            d = self._update(
                "discriminator", self.discriminator_loss(images, labels, seeds[0], shared)
            )
            g = self._update("generator", self.generator_loss(labels, seeds[1], shared))
            c = self._update("determinator", self.determinator_loss(images, labels, seeds[2]))
        return Triple(g, d, c)._asdict()

    def discriminator_loss(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        shared: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Real images are real (1), fakes are not (0)."""
        fake_seed, seed = tf.unstack(tf.random.split(seed, 2))
        fakes = self.fakes(labels, fake_seed, shared)  # [B, 28, 28, 1]
        both = tf.concat([images, fakes], axis=0)  # one pass for both: no layer mixes its rows
        keep_prob = self._keep_prob.discriminator
        logits = self.networks.discriminator(both, keep_prob, seed, parts=2)  # [2B, 1]
        real_logits, fake_logits = tf.split(logits, 2)  # [B, 1] each
        loss = losses.real_fake_cross_entropy(real_logits, 1.0)
        loss += losses.real_fake_cross_entropy(fake_logits, 0.0)
        return loss + self._l1("discriminator")

    def generator_loss(
        self, labels: tf.Tensor, seed: tf.Tensor, shared: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Fresh fakes pass for real (1) and, weighted, for the digit that was asked for."""
        fake_seed, seed, digit_seed = tf.unstack(tf.random.split(seed, 3))
        fakes = self.fakes(labels, fake_seed, shared)  # [B, 28, 28, 1]
        fake_logits = self.networks.discriminator(fakes, self._keep_prob.discriminator, seed)
        digit_logits = self.networks.determinator(fakes, self._keep_prob.determinator, digit_seed)
        loss = losses.real_fake_cross_entropy(fake_logits, 1.0)  # of [B, 1]
        digit_loss = self._digit_loss(digit_logits, labels)  # [B, 10]
        return loss + self._choices.digit_weight * digit_loss + self._l1("generator")

    def determinator_loss(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Real images show their digits; the determinator never learns from a fake."""
        logits = self.networks.determinator(images, self._keep_prob.determinator, seed)  # [B, 10]
        loss = self._digit_loss(logits, labels)
        return loss + self._l1("determinator")

    def fakes(
        self,
        labels: tf.Tensor,
        seed: tf.Tensor,
        shared: tf.Tensor | None = None,
        train: bool = True,
    ) -> tf.Tensor:
        """Images [B, 28, 28, 1] of the requested digits; the seeds are those of `noise`."""
        noise_seed, seed = tf.unstack(tf.random.split(seed, 2))
        latent = latent_of(labels, self.noise(labels, noise_seed, shared))  # [B, 100]
        keep_prob = self._keep_prob.generator if train else 1.0
        return self.networks.generator(latent, keep_prob, seed)

    def _digit_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return losses.digit_cross_entropy(logits, labels, self._choices.digit_loss)

    def _l1(self, role: str) -> tf.Tensor:
        network, weight = getattr(self.networks, role), getattr(self._choices.l1_weight, role)
        return weight * losses.l1(network.l1_weights)

    def _update(self, role: str, loss: tf.Tensor) -> tf.Tensor:
        """Move the weights of one network down its own loss; the others are not touched.

        Answers whether loss and gradients were finite.
        """
        weights = getattr(self.networks, role).weights
        with tf.name_scope(f"update_{role}/"):
            gradients = tf.gradients(loss, weights)
            gradients = getattr(self.optimizers, role).apply(gradients)
            return finite([loss, *gradients])

    # -- what the run loop asks for beside it --------------------------------------------------

    def noise(
        self, labels: tf.Tensor, seed: tf.Tensor, shared: tf.Tensor | None = None
    ) -> tf.Tensor:
        """[B, 10] as the configured `noise_draw` has it; "once" answers the run's own matrix.

        "batch" answers the matrix of `shared`, the step's seed for both its updates. Outside a
        step there is none (evaluation, grids, samples), and each image gets noise of its own.
        """
        matrix = {"batch": shared, "once": self._noise_seed}.get(self._choices.noise_draw)
        with tf.name_scope("noise/"):
            if matrix is None:
                return draw_noise(labels, seed, "example")
            return draw_noise(labels, matrix, self._choices.noise_draw)

    def generate(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1 of `labels` [B] from `noise` [B, 10], without dropout."""
        return self._draw(latent_of(labels, noise))

    def blend(self, soft_labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1 of what lies between digits, by their `soft_labels` [B, 10]."""
        return self._draw(soft_latent(soft_labels, noise))

    def _draw(self, latent: tf.Tensor) -> tf.Tensor:
        images = self.networks.generator(latent, 1.0, tf.zeros([2], tf.int32))
        return tf.squeeze(images, axis=3)

    def discriminator_logits(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Real/fake logits [B, 1] without dropout; this discriminator is not told the `labels`."""
        del labels
        return self.networks.discriminator(images, 1.0, tf.zeros([2], tf.int32))

    def classify(self, images: tf.Tensor) -> tf.Tensor:
        """Digit probabilities [B, 10] of images [B, 28, 28, 1] in 0..1, by the determinator."""
        return tf.nn.softmax(self.networks.determinator(images, 1.0, tf.zeros([2], tf.int32)))

    def dense_layers(self) -> list[DenseLayer] | None:
        """The generator that draws, as plain arrays."""
        return self.networks.generator.dense_layers()

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """The generator's variables by name."""
        return {w.name.removesuffix(":0"): w for w in self.networks.generator.weights}

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All variables by name: weights of the networks, moments and steps of the Adams."""
        networks = [w for network in self.networks for w in network.weights]
        adams = [v for optimizer in self.optimizers for v in optimizer.state]
        return {v.name.removesuffix(":0"): v for v in [*networks, *adams]}

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> dict:
        """The four losses without dropout and L1, in nats, and four accuracies in 0..1.

        The fakes are of fresh noise; under "batch", too, of each image's own.
        """
        fakes = self.fakes(labels, seed, train=False)  # [B, 28, 28, 1]
        both = tf.concat([images, fakes], axis=0)
        requested = tf.concat([labels, labels], axis=0)
        real_logits, fake_logits = tf.split(self.discriminator_logits(both, requested), 2)  # [B, 1]
        digits = self.networks.determinator(both, 1.0, tf.zeros([2], tf.int32))
        real_digits, fake_digits = tf.split(digits, 2)  # [B, 10]
        return real_fake_scalars(real_logits, fake_logits) | digit_scalars(
            real_digits, fake_digits, labels, self._choices.digit_loss
        )


def real_fake_scalars(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """By tag, of logits [B, 1] each: what a discriminator says of real images and of fakes."""
    real_loss = losses.real_fake_cross_entropy(real_logits, 1.0)
    fake_loss = losses.real_fake_cross_entropy(fake_logits, 0.0)
    return {
        "loss/discriminator": real_loss + fake_loss,
        "loss/generator_real": losses.real_fake_cross_entropy(fake_logits, 1.0),
        "accuracy/discriminator_real": tf.reduce_mean(tf.cast(real_logits > 0, tf.float32)),
        "accuracy/discriminator_fake": tf.reduce_mean(tf.cast(fake_logits < 0, tf.float32)),
    }


def digit_scalars(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, labels: tf.Tensor, form: str
) -> dict[str, tf.Tensor]:
    """By tag, of logits [B, 10] each: how surely the digits `labels` [B] are read in them."""
    return {
        "loss/determinator": losses.digit_cross_entropy(real_logits, labels, form),
        "loss/generator_digit": losses.digit_cross_entropy(fake_logits, labels, form),
        "accuracy/determinator_real": losses.label_accuracy(real_logits, labels),
        "accuracy/determinator_fake": losses.label_accuracy(fake_logits, labels),
    }
