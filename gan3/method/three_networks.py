"""The three networks as a system: how they are built, sampled, evaluated and saved."""

import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method import losses, networks
from gan3.method.config import ThreeNetworkConfig
from gan3.method.noise import Noise, latent_of
from gan3.method.system import Scalars, System
from gan3.method.train_step import ThreeNetworkStep
from gan3.nn.adam import Adam
from gan3.nn.initializers import INITIALIZERS
from gan3.nn.network import Network, by_name
from gan3.nn.specs import IMAGE


class ThreeNetworks(System):
    """The three-network GAN as a `System`. It computes in `dtype`, "float32" or "bfloat16"."""

    has_classifier = True

    def __init__(
        self, config: ThreeNetworkConfig, class_names: tuple[str, ...], dtype: str = "float32"
    ):
        self._config, self.class_names = config, class_names
        self._classes = classes = len(class_names)
        self.noise = Noise(config.noise_draw, config.seed, classes)
        init = INITIALIZERS[config.initializer](config.seed)
        self.networks: Triple[Network] = Triple(
            Network("generator", networks.generator(config, classes), init, dtype),
            Network("discriminator", networks.critic("discriminator", config, 1), init, dtype),
            Network("determinator", networks.critic("determinator", config, classes), init, dtype),
        )
        self.optimizers = make_optimizers(config, self.networks)
        self.train_step = ThreeNetworkStep(
            config, classes, self.networks, self.optimizers, self.noise
        )

    def generate(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1 of `labels` [B] from `noise` [B, 10], without dropout."""
        latent = latent_of(labels, noise, self._classes)
        return tf.reshape(self.networks.generator(latent), [-1, IMAGE, IMAGE])

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> Scalars:
        """The four losses in nats, without dropout and L1, and four accuracies in 0..1.

        Fakes of images [B, 28, 28, 1] and labels [B] are drawn from fresh noise.
        """
        noise_seed, _ = tf.unstack(tf.random.split(seed, 2))
        fakes = self.generate(labels, self.noise(labels, noise_seed))[..., None]
        both = tf.concat([images, fakes], axis=0)  # [2B, 28, 28, 1]
        logits = self.networks.discriminator(both)
        digit_logits = self.networks.determinator(both)  # [2B, K]
        scalars = real_fake_scalars(*tf.split(logits, 2))
        return scalars | digit_scalars(*tf.split(digit_logits, 2), labels, self._config.digit_loss)

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """The variables that drawing an image needs, by name."""
        return self.networks.generator.variables

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All variables by name: the networks' weights, the Adams' moments and steps."""
        weights = [w for network in self.networks for w in network.weights]
        return by_name([*weights, *(v for adam in self.optimizers for v in adam.state)])


def make_optimizers(
    config: ThreeNetworkConfig, networks: Triple[Network], beta2: float = 0.999
) -> Triple[Adam]:
    """An Adam for each network."""
    settings = zip(networks, config.learning_rate, config.beta1, strict=True)
    return Triple._make(
        Adam(network.weights, learning_rate, beta1, f"adam/{network.name}", beta2)
        for network, learning_rate, beta1 in settings
    )


def real_fake_scalars(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> Scalars:
    """Losses and accuracies of real/fake logits [B, 1] of real images and of fakes."""
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
) -> Scalars:
    """Losses and accuracies of class logits [B, K] of real images and of fakes, to `labels`."""
    return {
        "loss/determinator": losses.digit_cross_entropy(real_logits, labels, form),
        "loss/generator_digit": losses.digit_cross_entropy(fake_logits, labels, form),
        "accuracy/determinator_real": label_accuracy(real_logits, labels),
        "accuracy/determinator_fake": label_accuracy(fake_logits, labels),
    }


def label_accuracy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Fraction (0..1) of rows of `logits` [B, K] whose largest entry is that of `labels` [B]."""
    labels.shape.assert_has_rank(1)
    predicted = tf.argmax(logits, axis=1, output_type=labels.dtype)  # [B]
    return tf.reduce_mean(tf.cast(tf.equal(predicted, labels), tf.float32))
