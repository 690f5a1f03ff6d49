"""The step of `best`: the method's step with an autoencoder joined to the GAN.

The determinator has a second head, an encoder: it maps a real image to the noise entries of its
handwriting, and generator and determinator together must reconstruct the image from them. So every
training image has a latent, and none of the handwriting is left out. Larsen et al. 2016 joined a
variational autoencoder to a GAN in this way, and Bao et al. 2017 did so with a classifier; here the
encoder is the determinator, and its codes are normalised by class (`codes`).

With the config's defaults this is `method.train_step`, bit for bit.
"""

import math

import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method import adversarial
from gan3.method.losses import digit_cross_entropy, l1
from gan3.method.noise import Noise
from gan3.nn.adam import Adam
from gan3.nn.layers import all_finite
from gan3.vae_gan.codes import latent_of, rate
from gan3.vae_gan.config import VaeGanConfig
from gan3.vae_gan.generator import VaeGanGenerator, as_images

_MOMENTS_DECAY = 0.99  # per step; of the running moments that samples are normalised by


def normal_to_uniform(code: tf.Tensor) -> tf.Tensor:
    """Noise in -1..1 of a normal code, entry by entry: erf(code / sqrt 2).

    It maps N(0, 1) to U(-1, 1), so the latent keeps the description's uniform noise while the codes
    are normalised by their moments, and their noise is normal.
    """
    return tf.math.erf(code / math.sqrt(2))


def reconstruction_loss(logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Cross entropy of pixel logits to the encoded images: summed over pixels, mean over images.

    logits: [B, 784] or [B, 28, 28, 1]; images: [B, 28, 28, 1] in 0..1, each pixel the probability
    of a Bernoulli variable (Kingma & Welling 2014, appendix C.1). Nats; minimal where
    sigmoid(logits) = images.
    """
    targets, logits = (tf.reshape(x, [-1, 784]) for x in (images, logits))
    pixels = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)  # [B, 784]
    return tf.reduce_mean(tf.reduce_sum(pixels, axis=1))


class VaeGanStep:
    """One training step. All its random draws are functions of the step's seed."""

    def __init__(
        self,
        config: VaeGanConfig,
        classes: int,
        networks: Triple,
        optimizers: Triple[Adam],
        noise: Noise,
        sampler: VaeGanGenerator,
    ):
        """sampler: the generator that samples are drawn with, averaged unless `ema_decay` is 0."""
        self.config, self.networks, self.optimizers = config, networks, optimizers
        self.classes, self.noise, self.sampler = classes, noise, sampler

    def __call__(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Update the discriminator, then generator and determinator from one forward pass.

        Takes real images [B, 28, 28, 1] in 0..1, labels [B] and a seed [2]; returns by network
        whether its loss and gradients were finite.
        """
        with tf.name_scope("losses"):
            seeds = tf.random.split(seed, 3)
            lr_scale = self.lr_scale()
            d_loss = self.discriminator_loss(images, labels, seeds[0])
            d_gradients = tf.gradients(d_loss, self.networks.discriminator.weights)
            d_finite = self.apply("discriminator", d_loss, d_gradients, lr_scale)
            g_loss, c_loss = self.generator_and_determinator_losses(
                images, labels, seeds[1], seeds[2]
            )
            # Both before either is updated.
            g_gradients = tf.gradients(g_loss, self.networks.generator.weights)
            c_gradients = tf.gradients(c_loss, self.networks.determinator.weights)
            g_finite = self.apply("generator", g_loss, g_gradients, lr_scale)
            c_finite = self.apply("determinator", c_loss, c_gradients, lr_scale)
            self.update_sampler(labels, tf.random.fold_in(seed, 4))
        return Triple(g_finite, d_finite, c_finite)._asdict()

    def discriminator_loss(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """Real images are real, fakes are not. Follows the directions of spectral normalisation."""
        form, discriminator = self.config.loss, self.networks.discriminator
        discriminator.update_directions()
        fake_seed, dropout_seed = tf.unstack(tf.random.split(seed, 2))
        fakes = self.fakes(labels, fake_seed)
        both = tf.concat([images, fakes], axis=0)  # [2B, 28, 28, 1]
        logits = discriminator(both, dropout_seed, tf.tile(labels, [2]))  # [2B, 1]
        real_logits, fake_logits = tf.split(logits, 2)  # [B, 1] each
        loss = adversarial.real_loss(real_logits, form) + adversarial.fake_loss(fake_logits, form)
        loss += adversarial.penalties(
            self.config,
            lambda given: discriminator(given, dropout_seed, labels),
            images,
            fakes,
            tf.random.fold_in(seed, 2),
        )
        return loss + self.l1("discriminator")

    def generator_and_determinator_losses(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor, determinator_seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The two losses, which share the reconstruction of the real images."""
        config, networks = self.config, self.networks
        fake_seed, seed, digit_seed = tf.unstack(tf.random.split(seed, 3))
        noise_seed, dropout_seed = tf.unstack(tf.random.split(fake_seed, 2))
        latent = self.latent(labels, self.noise(labels, noise_seed))
        reconstructs = config.reconstruction_weight > 0
        if reconstructs:
            real_digit_logits, numbers = networks.determinator.encode(images, determinator_seed)
            steps = tf.cast(self.optimizers.generator.steps, tf.float32)
            code_seed = tf.random.fold_in(determinator_seed, 1)
            code_norm = networks.determinator.code_norm
            code, code_loss = code_norm.train(numbers, labels, steps, code_seed)
            encoded_latent = self.latent(labels, normal_to_uniform(code))
            latent = tf.concat([latent, encoded_latent], axis=0)  # [2B, …]
        else:
            real_digit_logits = networks.determinator(images, determinator_seed)
        c_loss = self.l1("determinator") + self.digit_loss(real_digit_logits, labels)

        pixel_logits, _ = networks.generator.logits(latent, dropout_seed)
        drawn = as_images(pixel_logits)  # [B or 2B, 28, 28, 1]
        fakes, reconstructed = tf.split(drawn, 2) if reconstructs else (drawn, None)
        g_loss = self.adversarial_loss(fakes, labels, seed)
        fake_digit_logits = networks.determinator(fakes, digit_seed)
        digit_loss = self.digit_loss(fake_digit_logits, labels)
        g_loss += config.digit_weight * digit_loss + self.l1("generator")
        if reconstructs:
            reconstruction = reconstruction_loss(tf.split(pixel_logits, 2)[1], images)
            g_loss += config.reconstruction_weight * reconstruction
            c_loss += config.reconstruction_weight * (reconstruction + code_loss)
            if config.reconstruction_adversarial_weight:
                seed = tf.random.fold_in(seed, 1)
                adversarial_loss = self.adversarial_loss(reconstructed, labels, seed)
                g_loss += config.reconstruction_adversarial_weight * adversarial_loss
        return g_loss, c_loss

    def latent(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """The generator's input of `labels` [B] and `noise` [B, E]."""
        return latent_of(labels, noise, self.classes, self.config.shared_noise)

    def fakes(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28, 1] of the requested digits, with dropout and batch moments."""
        noise_seed, dropout_seed = tf.unstack(tf.random.split(seed, 2))
        latent = self.latent(labels, self.noise(labels, noise_seed))
        return as_images(self.networks.generator.logits(latent, dropout_seed)[0])

    def adversarial_loss(self, fakes: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The generator's loss for fakes that must pass as real."""
        logits = self.networks.discriminator(fakes, seed, labels)
        return adversarial.passing_loss(logits, self.config.loss)

    def digit_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Cross entropy of digit logits [B, K] to labels [B], in the configured form."""
        return digit_cross_entropy(logits, labels, self.config.digit_loss)

    def l1(self, role: str) -> tf.Tensor:
        """The weighted L1 norm of one network's dense weight matrices."""
        return getattr(self.config.l1_weight, role) * l1(getattr(self.networks, role).l1_weights)

    def lr_scale(self) -> tf.Tensor | float:
        """1 up to `lr_decay_start` of the schedule, then linearly to 0 one step after its end."""
        start = self.config.lr_decay_start
        if start >= 1:
            return 1.0
        steps = tf.cast(self.optimizers.generator.steps, tf.float32)
        done = steps / self.config.total_steps  # 0 in step 1
        return tf.clip_by_value((1 - done) / (1 - start), 0.0, 1.0)

    def update_sampler(self, labels: tf.Tensor, seed: tf.Tensor) -> None:
        """Average this step's generator into the sampler, and update its running moments.

        The moments are those of fresh noise in the averaged weights, not averages of the moments
        in training: they normalise when a single digit is drawn.
        """
        sampler, trained = self.sampler, self.networks.generator
        steps = tf.cast(self.optimizers.generator.steps, tf.float32)
        if sampler is not trained:
            newest = rate(self.config.ema_decay, steps)
            for average, weight in zip(sampler.weights, trained.merged_weights, strict=True):
                average.assign_add(newest * (weight - average))
        if self.config.batch_norm:
            latent = self.latent(labels, self.noise(labels, seed))
            _, moments = sampler.logits(latent)
            newest = rate(_MOMENTS_DECAY, steps)
            for running, batch in zip(sampler.running_moments(), moments, strict=True):
                for average, moment in zip(running, batch, strict=True):
                    average.assign_add(newest * (moment - average))

    def apply(
        self, role: str, loss: tf.Tensor, gradients: list[tf.Tensor], lr_scale: tf.Tensor | float
    ) -> tf.Tensor:
        """One Adam step of one network; returns whether its loss and gradients were finite."""
        with tf.name_scope(f"update_{role}/"):
            gradients = getattr(self.optimizers, role).apply(gradients, lr_scale)
            return all_finite([loss, *gradients])
