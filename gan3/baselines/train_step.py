"""The training step of the two-network systems: two losses, and how each system updates."""

import tensorflow as tf

from gan3.baselines.config import AuxiliaryGanConfig, BaselineConfig
from gan3.baselines.discriminators import Discriminator
from gan3.method import adversarial
from gan3.method.losses import digit_cross_entropy
from gan3.nn.adam import Adam
from gan3.nn.declared import GeneratorSpec
from gan3.nn.layers import all_finite
from gan3.nn.network import Network
from gan3.nn.specs import IMAGE


def draw_noise(spec: GeneratorSpec, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """The noise [B, E] that the generator takes for `labels` [B]: U(-1, 1) or N(0, 1)."""
    shape = [tf.size(labels), spec.noise_entries]
    with tf.name_scope("noise/"):
        if spec.noise_distribution == "uniform":
            return tf.random.stateless_uniform(shape, seed, -1.0, 1.0)
        return tf.random.stateless_normal(shape, seed)


def to_pixel_range(images: tf.Tensor, pixel_min: float) -> tf.Tensor:
    """Images in 0..1 in the range `pixel_min`..1 of a system's networks."""
    return images * (1 - pixel_min) + pixel_min


# What "by_loss" has instead of losses before the first update: the first one is the discriminator's
# on fakes.
_FIRST_LOSSES = {"discriminator_fake": 1.0, "generator": 0.0, "discriminator": 1.0}


class TwoNetworkStep:
    """One training step. All its random draws are functions of the step's seed."""

    def __init__(
        self,
        config: BaselineConfig,
        spec: GeneratorSpec,
        generator: Network,
        discriminator: Discriminator,
        adams: dict[str, Adam],
    ):
        """adams: "generator", "discriminator", and "discriminator_fake" for separate Adams."""
        self.config, self.generator, self.discriminator = config, generator, discriminator
        self.spec, self.adams = spec, adams
        self.class_weight = config.class_weight if isinstance(config, AuxiliaryGanConfig) else None
        # By the Adam that lowers it, the loss at the last update: what `updates_by_loss` goes by.
        self.last_losses: dict[str, tf.Variable] = {}
        if config.discriminator_updates == "by_loss":
            self.last_losses = {
                adam: tf.Variable(first, trainable=False, name=f"last_loss/{adam}")
                for adam, first in _FIRST_LOSSES.items()
            }

    def __call__(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The discriminator's updates, then the generator's on fresh fakes; or those that are due.

        Takes real images [B, 28, 28, 1] in 0..1, labels [B] and a seed [2]; returns by network
        whether its losses and gradients were finite.
        """
        with tf.name_scope("losses"):
            images = to_pixel_range(images, self.spec.pixel_min)
            if self.config.discriminator_updates == "by_loss":
                return self.updates_by_loss(images, labels, seed)
            d_seed, g_seed = tf.unstack(tf.random.split(seed, 2))
            d_finite = self.update_discriminator(images, labels, d_seed)
            loss = self.generator_loss(labels, g_seed)
            g_finite = self.update("generator", loss)
        return {"discriminator": d_finite, "generator": g_finite}

    def update_discriminator(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """One update on real and fake images together, or one on each."""
        config = self.config
        fake_seed, real_dropout, fake_dropout = tf.unstack(tf.random.split(seed, 3))
        fakes, fake_labels = self.fakes(labels, fake_seed)
        fakes = tf.stop_gradient(fakes)
        self.limit_discriminator()

        def fake_loss() -> tf.Tensor:
            logits, _ = self.discriminator.heads(fakes, fake_labels, fake_dropout)  # [B, 1]
            return adversarial.fake_loss(logits, config.loss)

        real_loss = self.real_loss(images, labels, real_dropout)
        if config.discriminator_updates == "joint":
            loss = real_loss + fake_loss()
            loss += self.penalties(images, fakes, labels, seed)
            return self.update("discriminator", loss)
        real_finite = self.update("discriminator", real_loss)
        second = "discriminator_fake" if "discriminator_fake" in self.adams else "discriminator"
        return real_finite & self.update(second, fake_loss())

    def penalties(
        self, images: tf.Tensor, fakes: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """What the slopes of the discriminator cost; all images count as of `labels` [B]."""
        share_seed, dropout_seed = tf.unstack(tf.random.split(tf.random.fold_in(seed, 1), 2))

        def critic(given: tf.Tensor) -> tf.Tensor:
            return self.discriminator.heads(given, labels, dropout_seed)[0]

        return adversarial.penalties(self.config, critic, images, fakes, share_seed)

    def updates_by_loss(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The discriminator's update on fakes, the generator's, the discriminator's on real images.

        Each only if its loss was above its threshold at the last update that was made, which may be
        one of another step. Every update draws fakes of its own, on which it measures all three
        losses with the weights from before it.
        """
        config, finite = self.config, {}
        thresholds = {
            "discriminator_fake": config.fake_threshold,
            "generator": config.generator_threshold,
            "discriminator": config.real_threshold,
        }
        for (adam, threshold), update_seed in zip(
            thresholds.items(), tf.unstack(tf.random.split(seed, 3)), strict=True
        ):

            def update(adam: str = adam, seed: tf.Tensor = update_seed) -> tf.Tensor:
                if adam != "generator":
                    self.limit_discriminator()
                now = self.all_losses(images, labels, seed)
                last = [self.last_losses[name].assign(loss) for name, loss in now.items()]
                return self.update(adam, now[adam]) & all_finite(last)

            is_due = self.last_losses[adam] > threshold
            finite[adam] = tf.cond(is_due, update, lambda: tf.constant(True))
        return {
            "discriminator": finite["discriminator_fake"] & finite["discriminator"],
            "generator": finite["generator"],
        }

    def all_losses(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """By the Adam that lowers it, each loss on real images and on fakes that are drawn here."""
        fake_seed, real_dropout, fake_dropout = tf.unstack(tf.random.split(seed, 3))
        fakes, fake_labels = self.fakes(labels, fake_seed)
        logits, digit_logits = self.discriminator.heads(fakes, fake_labels, fake_dropout)
        return {
            "discriminator_fake": adversarial.fake_loss(logits, self.config.loss),
            "generator": self.passing_loss(logits, digit_logits, fake_labels),
            "discriminator": self.real_loss(images, labels, real_dropout),
        }

    def limit_discriminator(self) -> None:
        """Clip its weights, unless `weight_clip` is 0; follow them for spectral normalisation."""
        limit = self.config.weight_clip
        if limit:
            for w in self.discriminator.weights:
                w.assign(tf.clip_by_value(w, -limit, limit))
        self.discriminator.update_directions()

    def real_loss(self, images: tf.Tensor, labels: tf.Tensor, dropout_seed: tf.Tensor) -> tf.Tensor:
        """The loss on real images: they pass as real and, given a class head, as their classes."""
        logits, digit_logits = self.discriminator.heads(images, labels, dropout_seed)
        loss = adversarial.real_loss(logits, self.config.loss, self.config.real_target)
        if self.class_weight is None:
            return loss
        digit_loss = digit_cross_entropy(digit_logits, labels, "softmax_mean")
        return loss + self.class_weight * digit_loss

    def generator_loss(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Fresh fakes pass as real and, if there is a class head, show their classes."""
        fake_seed, dropout_seed = tf.unstack(tf.random.split(seed, 2))
        fakes, fake_labels = self.fakes(labels, fake_seed)
        logits, digit_logits = self.discriminator.heads(fakes, fake_labels, dropout_seed)
        return self.passing_loss(logits, digit_logits, fake_labels)

    def passing_loss(
        self, logits: tf.Tensor, digit_logits: tf.Tensor | None, fake_labels: tf.Tensor
    ) -> tf.Tensor:
        """The generator's loss at what the discriminator says of its fakes."""
        loss = adversarial.passing_loss(logits, self.config.loss)
        if self.class_weight is None:
            return loss
        return loss + digit_cross_entropy(digit_logits, fake_labels, "softmax_mean")

    def fakes(self, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Fakes [B, 28, 28, 1] in the networks' pixel range, and the requested classes [B].

        A class-conditional system draws them at random, as its publication does.
        """
        noise_seed, label_seed, dropout_seed = tf.unstack(tf.random.split(seed, 3))
        classes = len(self.spec.class_names)
        if self.spec.class_conditional:
            shape = tf.shape(labels)
            labels = tf.random.stateless_uniform(shape, label_seed, 0, classes, tf.int32)
        noise = draw_noise(self.spec, labels, noise_seed)
        pixels = self.generator(noise, dropout_seed, tf.one_hot(labels, classes))
        return tf.reshape(pixels, [-1, IMAGE, IMAGE, 1]), labels

    def update(self, adam: str, loss: tf.Tensor) -> tf.Tensor:
        """One step of the Adam of that name; returns whether loss and gradients were finite."""
        with tf.name_scope(f"update_{adam}/"):
            gradients = tf.gradients(loss, self.adams[adam].variables)
            gradients = self.adams[adam].apply(gradients)
            return all_finite([loss, *gradients])
