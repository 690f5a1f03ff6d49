"""The step of the field's other systems: two networks, two losses, and how each system trains.

Where a system has no determinator nothing says which digit its images show. It cannot be asked for
a digit unless it `class_conditional`, and it reads none unless it `has_classifier`.
"""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gan3.baselines.networks import NOISE, BaselineNetwork
from gan3.core.triple import Triple
from gan3.method import losses
from gan3.method.networks import DenseLayer
from gan3.method.train_step import digit_scalars, real_fake_scalars
from gan3.nn.adam import Adam
from gan3.nn.layers import finite, own_rows


@dataclass(frozen=True)
class Practice:
    """How a system of the field trains, where its published code and the others part."""

    learning_rate: Triple[float]  # of the determinator there is no use
    beta1: Triple[float]
    draw: str = "normal"  # of the noise: N(0, 1), or "uniform" in -1..1
    pixel_min: float = 0.0  # of a pixel as the networks have it; the highest is 1
    class_conditional: bool = False
    own_labels: bool = False  # the digits of fakes are drawn, not those of the real batch
    real_target: float = 1.0  # less than 1: one-sided label smoothing (Salimans et al. 2016)
    updates: str = "one"  # of the discriminator: on both kinds at "once", on real and then on fake
    clip: float = 0.0  # of the discriminator's weights, before each step; 0: none
    class_weight: float = 0.0  # of the class head in the discriminator's loss; 0: it has none


UPDATES = ("one", "two", "two, an Adam each")
_OFF = (0, 0)


class TwoNetworks:
    """A generator and a discriminator, trained as `practice` says.

    All draws are functions of the step's own seed.
    """

    def __init__(
        self, generator: BaselineNetwork, discriminator: BaselineNetwork, practice: Practice
    ):
        if practice.updates not in UPDATES:
            raise ValueError(f"updates {practice.updates!r}: one of {', '.join(UPDATES)}")
        self.generator, self.discriminator, self._practice = generator, discriminator, practice
        self._adams = {
            "generator": self._adam("generator", "generator"),
            "discriminator": self._adam("discriminator", "discriminator"),
        }
        if practice.updates == UPDATES[2]:
            self._adams["discriminator_fake"] = self._adam("discriminator", "discriminator_fake")

    def _adam(self, role: str, name: str) -> Adam:
        """An Adam of one network's weights; its slots are named adam/`name`/…"""
        rate, beta1 = (
            getattr(self._practice.learning_rate, role),
            getattr(self._practice.beta1, role),
        )
        return Adam(getattr(self, role).weights, rate, beta1, f"adam/{name}")

    @property
    def class_conditional(self) -> bool:
        """Whether `generate` draws the digits that it is asked for."""
        return self._practice.class_conditional

    @property
    def noise_distribution(self) -> str:
        """ "normal", N(0, 1), or "uniform" in -1..1."""
        return self._practice.draw

    @property
    def pixel_min(self) -> float:
        """Of a pixel as the generator has it; the highest is 1."""
        return self._practice.pixel_min

    @property
    def has_classifier(self) -> bool:
        """Whether `classify` answers: the discriminator has a class head."""
        return self._practice.class_weight > 0

    # -- the step ------------------------------------------------------------------------------

    def step(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The discriminator's updates, then the generator's on fresh fakes.

        images: [B, 28, 28, 1] real, in 0..1; labels: [B]. Answers, by network, whether its losses
        and gradients were finite.
        """
        with tf.name_scope("losses"):
            d_seed, g_seed = tf.unstack(tf.random.split(seed, 2))
            good = {"discriminator": self._update_discriminator(self._own(images), labels, d_seed)}
            good["generator"] = self._update("generator", self._generator_loss(labels, g_seed))
        return good

    def _update_discriminator(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        practice = self._practice
        fake_seed, real_seed, seed = tf.unstack(tf.random.split(seed, 3))
        fakes, requested = self._fakes(labels, fake_seed)
        fakes = tf.stop_gradient(fakes)
        if practice.clip:
            for w in self.discriminator.weights:
                w.assign(tf.clip_by_value(w, -practice.clip, practice.clip))

        def real_loss() -> tf.Tensor:
            if not practice.class_weight:
                logits = self.discriminator(images, labels, True, real_seed)  # [B, 1]
                return losses.real_fake_cross_entropy(logits, practice.real_target)
            logits, digits = self.discriminator.heads(images, True, real_seed)  # [B, 1], [B, 10]
            loss = losses.real_fake_cross_entropy(logits, practice.real_target)
            digit_loss = losses.digit_cross_entropy(digits, labels, "softmax_mean")
            return loss + practice.class_weight * digit_loss

        def fake_loss() -> tf.Tensor:
            logits = self.discriminator(fakes, requested, True, seed)  # [B, 1]
            return losses.real_fake_cross_entropy(logits, 0.0)

        if practice.updates == UPDATES[0]:
            return self._update("discriminator", real_loss() + fake_loss())
        second = "discriminator_fake" if practice.updates == UPDATES[2] else "discriminator"
        return self._update("discriminator", real_loss()) & self._update(second, fake_loss())

    def _generator_loss(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Fresh fakes pass for real and, where there is a class head, for their digits."""
        fake_seed, seed = tf.unstack(tf.random.split(seed, 2))
        fakes, requested = self._fakes(labels, fake_seed)
        if not self._practice.class_weight:
            logits = self.discriminator(fakes, requested, True, seed)
            return losses.real_fake_cross_entropy(logits, 1.0)
        logits, digits = self.discriminator.heads(fakes, True, seed)
        digit_loss = losses.digit_cross_entropy(digits, requested, "softmax_mean")
        return losses.real_fake_cross_entropy(logits, 1.0) + digit_loss

    def _fakes(self, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Training's fakes [B, 28, 28, 1] in the networks' range, and the digits asked for."""
        noise_seed, digit_seed, seed = tf.unstack(tf.random.split(seed, 3))
        if self._practice.own_labels:
            labels = own_rows(
                lambda shape: tf.random.stateless_uniform(
                    shape, digit_seed, 0, 10, tf.int32, alg="philox"
                ),
                tf.shape(labels),
            )
        noise, soft_labels = self.noise(labels, noise_seed), tf.one_hot(labels, 10)
        return self.generator(noise, soft_labels, True, seed), labels

    def _update(self, adam: str, loss: tf.Tensor) -> tf.Tensor:
        """One update by the Adam of that name; answers whether loss and gradients were finite."""
        with tf.name_scope(f"update_{adam}/"):
            gradients = tf.gradients(loss, self._adams[adam].variables)
            gradients = self._adams[adam].apply(gradients)
            return finite([loss, *gradients])

    def _own(self, images: tf.Tensor) -> tf.Tensor:
        """Images in 0..1 as the networks have them."""
        pixel_min = self.pixel_min
        return images * (1 - pixel_min) + pixel_min

    # -- what the run loop asks for beside it --------------------------------------------------

    def noise(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """[B, 100], fresh for each image: a function of `seed` [2]."""

        def draw(shape: Any) -> tf.Tensor:
            if self._practice.draw == "uniform":
                return tf.random.stateless_uniform(shape, seed, -1.0, 1.0, alg="philox")
            return tf.random.stateless_normal(shape, seed, alg="philox")

        shape = [tf.size(labels), NOISE]
        with tf.name_scope("noise/"):
            return own_rows(draw, shape)

    def generate(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1; of `labels` [B] where the system heeds them."""
        return self.blend(tf.one_hot(labels, 10), noise)

    def blend(self, soft_labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1 of what lies between digits, by their `soft_labels` [B, 10]."""
        images = self.generator(noise, soft_labels, False, tf.constant(_OFF))
        pixel_min = self.pixel_min
        return tf.squeeze((images - pixel_min) / (1 - pixel_min), axis=3)

    def classify(self, images: tf.Tensor) -> tf.Tensor:
        """Digit probabilities [B, 10] of images [B, 28, 28, 1] in 0..1, by the class head."""
        return tf.nn.softmax(self.discriminator.heads(self._own(images), False, _OFF)[1])

    def dense_layers(self) -> list[DenseLayer] | None:
        """The generator as plain arrays; None where it is none of dense layers."""
        return self.generator.dense_layers()

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """The generator's variables by name, the averages that normalise it among them."""
        return {w.name.removesuffix(":0"): w for w in self.generator.saved}

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All variables by name."""
        adams = [v for adam in self._adams.values() for v in adam.state]
        variables = [*self.generator.saved, *self.discriminator.saved, *adams]
        return {v.name.removesuffix(":0"): v for v in variables}

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> dict:
        """Losses in nats and accuracies in 0..1, without dropout and smoothing."""
        off = tf.constant(_OFF)
        fakes = self._own(self.generate(labels, self.noise(labels, seed)))[..., None]
        both = tf.concat([self._own(images), fakes], axis=0)
        requested = tf.concat([labels, labels], axis=0)
        if self.has_classifier:
            logits, digits = self.discriminator.heads(both, False, off)
        else:
            logits = self.discriminator(both, requested, False, off)
        real_logits, fake_logits = tf.split(logits, 2)  # [B, 1] each
        values = real_fake_scalars(real_logits, fake_logits)
        values["loss/discriminator_real"] = losses.real_fake_cross_entropy(real_logits, 1.0)
        values["loss/discriminator_fake"] = losses.real_fake_cross_entropy(fake_logits, 0.0)
        if self.has_classifier:
            values |= digit_scalars(*tf.split(digits, 2), labels, "softmax_mean")  # [B, 10] each
        return values
