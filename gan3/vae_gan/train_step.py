"""The three networks with everything open that the description fixes: what `best` is made of.

The one new idea: the determinator says which digit an image shows and how it was written. A second
head of it reads ten numbers from a real image, and generator and determinator together must redraw
the image from them. So every handwriting of the training set has its noise and none is left out: a
conditional variational autoencoder (Kingma & Welling 2014, Sohn et al. 2015) joined to the GAN, as
in Larsen et al. 2016 and, with a classifier, Bao et al. 2017; here its encoder is the determinator.

With every opening shut this is `train_step`, to the bit.
"""

import math
from dataclasses import dataclass

import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method.networks import DenseLayer
from gan3.method.noise import latent_of
from gan3.method.train_step import Choices, ThreeNetworks
from gan3.nn.initializers import Glorot
from gan3.nn.layers import finite, own_rows
from gan3.vae_gan import losses as vae_gan_losses
from gan3.vae_gan.networks import VaeGanCritic, VaeGanGenerator, as_images

_MOMENTS_DECAY = 0.99  # a step; of the batch moments that a single digit is normalised by


@dataclass(frozen=True)
class Openings:
    """What is open beside the description's own choices; the defaults shut everything."""

    widths: Triple[tuple[int, ...]] = Triple((100, 500, 784), (32, 64, 1024), (32, 64, 1024))
    kernel: int = 5  # side of the critics' kernels
    downsampling: str = "pool"  # of the critics; or "stride"
    normalised: bool = False  # the generator, by batch
    shown: bool = False  # to the discriminator: the digit that an image is meant to show
    adversarial_loss: str = "cross_entropy"  # see losses.adversarial
    r1_weight: float = 0.0  # of the discriminator's slope about real images
    r2_weight: float = 0.0  # and about fakes
    penalty_every: int = 1  # steps; as many times the weight then (Karras et al. 2020, appendix B)
    reconstruction_weight: float = 0.0  # a nat of redrawing; 0: the determinator reads digits only
    kl_weight: float = 1.0  # of the codes' divergence from the normal law, beside it
    reconstruction_adversarial_weight: float = (
        0.0  # of what the discriminator says of redrawn images
    )
    ema_decay: float = 0.0  # a step; of the averaged generator, which draws. 0: the last one
    lr_decay_start: float = (
        1.0  # share of the schedule from where the rates fall in a line to nothing
    )
    steps: int = 1  # of the schedule


def normal_to_uniform(code: tf.Tensor) -> tf.Tensor:
    """Noise in -1..1 of a normal code, entry by entry: erf(code / sqrt 2).

    What is N(0, 1) becomes U(-1, 1), so the latent keeps the description's uniform noise while what
    the determinator reads has the closed forms of a normal law.
    """
    return tf.math.erf(code / math.sqrt(2))


class VaeGan(ThreeNetworks):
    """Three networks with more choices than the description's: those of `openings`."""

    def __init__(self, openings: Openings, choices: Choices, seed: int, dtype: str = "float32"):
        self._open = openings
        super().__init__(choices, seed, dtype)
        trained = self.networks.generator
        self._drawing = trained  # the generator that digits are drawn with
        if openings.ema_decay:
            widths, normalised = openings.widths.generator, openings.normalised
            self._drawing = VaeGanGenerator(
                Glorot(seed), widths, choices.activation.generator, normalised, dtype, "average"
            )
            for mean, weight in zip(self._drawing.weights, trained.weights, strict=True):
                mean.assign(weight)

    def _make(self, init: Glorot, dtype: str) -> Triple:
        o, activation = self._open, self._choices.activation
        critic = (o.kernel, o.downsampling)
        reads = o.reconstruction_weight > 0
        return Triple(
            VaeGanGenerator(init, o.widths.generator, activation.generator, o.normalised, dtype),
            VaeGanCritic(
                *("discriminator", 1, init, o.widths.discriminator, *critic),
                activation.discriminator,
                shown=o.shown,
                dtype=dtype,
            ),
            VaeGanCritic(
                *("determinator", 10, init, o.widths.determinator, *critic),
                activation.determinator,
                reads=reads,
                dtype=dtype,
            ),
        )

    # -- the step ------------------------------------------------------------------------------

    def step(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The discriminator's update, then those of generator and determinator, from one pass.

        Each moves only its own list; arguments and answer are those of ThreeNetworks.step.
        """
        with tf.name_scope("losses"):
            seeds = tf.random.split(seed, 3)
            shared = tf.random.fold_in(seed, 3)
            share = self._share_of_rate()
            d = self._update_discriminator(images, labels, seeds[0], shared, share)
            g_loss, c_loss = self._creator_losses(images, labels, seeds[1], seeds[2], shared)
            g = self._gradients("generator", g_loss)  # both before either network moves
            c = self._gradients("determinator", c_loss)
            g = self._move("generator", g_loss, g, share)
            c = self._move("determinator", c_loss, c, share)
            self._average(labels, tf.random.fold_in(seed, 4))
        return Triple(g, d, c)._asdict()

    def _update_discriminator(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        shared: tf.Tensor,
        share: tf.Tensor | float,
    ) -> tf.Tensor:
        """Move the discriminator; with penalties, by one of two graphs."""
        o = self._open
        fake_seed, seed = tf.unstack(tf.random.split(seed, 2))
        fakes = tf.stop_gradient(self.fakes(labels, fake_seed, shared))  # [B, 28, 28, 1]

        def loss_and_gradients(penalised: bool) -> list[tf.Tensor]:
            both = tf.concat([images, fakes], axis=0)  # one pass for both: no layer mixes its rows
            logits = self._discriminator_logits(
                both, tf.concat([labels, labels], axis=0), seed, parts=2
            )
            loss = vae_gan_losses.adversarial(*tf.split(logits, 2), o.adversarial_loss)[0]
            if penalised:
                r1, r2 = tf.split(vae_gan_losses.gradient_penalty(logits, both), 2)  # [B] each
                weighted = o.r1_weight * tf.reduce_mean(r1) + o.r2_weight * tf.reduce_mean(r2)
                loss += o.penalty_every * weighted
            loss += self._l1("discriminator")
            return [loss, *self._gradients("discriminator", loss)]

        if o.r1_weight == o.r2_weight == 0:
            found = loss_and_gradients(False)
        elif o.penalty_every == 1:
            found = loss_and_gradients(True)
        else:
            found = tf.cond(
                self.optimizers.discriminator.steps % o.penalty_every == 0,
                lambda: loss_and_gradients(True),
                lambda: loss_and_gradients(False),
            )
        return self._move("discriminator", found[0], found[1:], share)

    def _creator_losses(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        determinator_seed: tf.Tensor,
        shared: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The losses of generator and determinator."""
        o, keep_prob = self._open, self._keep_prob
        fake_seed, seed, digit_seed = tf.unstack(tf.random.split(seed, 3))
        noise_seed, fake_seed = tf.unstack(tf.random.split(fake_seed, 2))
        latent = latent_of(labels, self.noise(labels, noise_seed, shared))  # [B, 100]
        c_loss = self._l1("determinator")
        if o.reconstruction_weight:
            digits, mean, log_variance = self.networks.determinator.read(
                images, keep_prob.determinator, determinator_seed
            )
            coin = tf.random.fold_in(determinator_seed, 1)
            normal = own_rows(
                lambda shape: tf.random.stateless_normal(shape, coin, alg="philox"), tf.shape(mean)
            )
            code = mean + tf.exp(0.5 * log_variance) * normal  # [B, 10]
            latent = tf.concat(
                [latent, latent_of(labels, normal_to_uniform(code))], axis=0
            )  # [2B, 100]
        else:
            digits = self.networks.determinator(images, keep_prob.determinator, determinator_seed)
        c_loss += self._digit_loss(digits, labels)
        pixels, _ = self.networks.generator.logits(
            latent, keep_prob.generator, fake_seed, parts=2 if o.reconstruction_weight else 1
        )
        fakes, reconstructed = as_images(pixels), None
        if o.reconstruction_weight:
            pixels = tf.split(pixels, 2)[1]  # of the redrawn: [B, 784]
            fakes, reconstructed = tf.split(fakes, 2)  # [B, 28, 28, 1] each
        g_loss = self._adversarial_loss(images, fakes, labels, seed)
        digit_logits = self.networks.determinator(fakes, keep_prob.determinator, digit_seed)
        digit_loss = self._digit_loss(digit_logits, labels)
        g_loss += self._choices.digit_weight * digit_loss + self._l1("generator")
        if reconstructed is not None:
            missed = vae_gan_losses.reconstruction(pixels, images)
            kl = vae_gan_losses.kl_to_normal(mean, log_variance)
            g_loss += o.reconstruction_weight * missed
            c_loss += o.reconstruction_weight * (missed + o.kl_weight * kl)
            if o.reconstruction_adversarial_weight:
                again = tf.random.fold_in(seed, 1)
                g_loss += o.reconstruction_adversarial_weight * self._adversarial_loss(
                    images, reconstructed, labels, again
                )
        return g_loss, c_loss

    def _adversarial_loss(
        self, images: tf.Tensor, fakes: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """The generator's loss where its images are to pass for real."""
        form = self._open.adversarial_loss
        fake_logits = self._discriminator_logits(fakes, labels, seed)  # [B, 1]
        real_logits = fake_logits
        if form == "relativistic":  # the only one in which the generator sees the real ones
            real_logits = tf.stop_gradient(
                self._discriminator_logits(images, labels, tf.random.fold_in(seed, 2))
            )
        return vae_gan_losses.adversarial(real_logits, fake_logits, form)[1]

    def _discriminator_logits(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor, parts: int = 1
    ) -> tf.Tensor:
        """Real/fake logits [B, 1] under dropout; `parts` batches stand below each other."""
        keep_prob = self._keep_prob.discriminator
        return self.networks.discriminator(images, keep_prob, seed, labels, parts)

    def _share_of_rate(self) -> tf.Tensor | float:
        """1 to `lr_decay_start` of the schedule, then in a line to nothing one step after its end."""
        o = self._open
        if o.lr_decay_start >= 1:
            return 1.0
        done = tf.cast(self.optimizers.generator.steps, tf.float32) / o.steps  # 0 in step 1
        return tf.clip_by_value((1 - done) / (1 - o.lr_decay_start), 0.0, 1.0)

    def _average(self, labels: tf.Tensor, seed: tf.Tensor) -> None:
        """Take this step's generator into the one that draws, and that one's moments into its own.

        The moments are of fresh noise in the averaged weights, not the averages of those that
        training saw: they are what normalises when a single digit is drawn.
        """
        drawing, trained, decay = self._drawing, self.networks.generator, self._open.ema_decay
        # At first as many steps as there are count alike: a mean, not the beginning kept alive.
        steps = tf.cast(self.optimizers.generator.steps, tf.float32)
        young = steps / (steps + 9)
        if drawing is not trained:
            new = 1 - tf.minimum(decay, young)
            for mean, weight in zip(drawing.weights, trained.weights, strict=True):
                mean.assign_add(new * (weight - mean))
        if drawing.means:
            latent = latent_of(labels, self.noise(labels, seed))
            _, moments = drawing.logits(latent, 1.0, seed)
            new = 1 - tf.minimum(_MOMENTS_DECAY, young)
            kept = zip(drawing.means, drawing.variances, moments, strict=True)
            for mean, variance, (own_mean, own_variance) in kept:
                mean.assign_add(new * (own_mean - mean))
                variance.assign_add(new * (own_variance - variance))

    def _gradients(self, role: str, loss: tf.Tensor) -> list[tf.Tensor]:
        return tf.gradients(loss, getattr(self.networks, role).weights)

    def _move(
        self, role: str, loss: tf.Tensor, gradients: list[tf.Tensor], share: tf.Tensor | float
    ) -> tf.Tensor:
        """Move one network; answers whether its loss and gradients were finite."""
        with tf.name_scope(f"update_{role}/"):
            gradients = getattr(self.optimizers, role).apply(gradients, share)
            return finite([loss, *gradients])

    # -- what the run loop asks for beside it --------------------------------------------------

    def fakes(
        self,
        labels: tf.Tensor,
        seed: tf.Tensor,
        shared: tf.Tensor | None = None,
        train: bool = True,
    ) -> tf.Tensor:
        """Images [B, 28, 28, 1] of the requested digits; outside training by what draws digits."""
        if train:
            return super().fakes(labels, seed, shared)
        noise = self.noise(labels, tf.unstack(tf.random.split(seed, 2))[0], shared)
        return self.generate(labels, noise)[..., None]

    def discriminator_logits(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Real/fake logits [B, 1] without dropout of images that are meant to show `labels`."""
        return self.networks.discriminator(images, 1.0, tf.zeros([2], tf.int32), labels)

    def _draw(self, latent: tf.Tensor) -> tf.Tensor:
        """By the averaged generator and its own moments."""
        images = self._drawing(latent, 1.0, tf.zeros([2], tf.int32), own=False)
        return tf.squeeze(images, axis=3)

    def dense_layers(self) -> list[DenseLayer]:
        """The averaged generator as plain arrays."""
        return self._drawing.dense_layers()

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """Of the generator that draws, its moments among them, by name."""
        return {w.name.removesuffix(":0"): w for w in self._drawing.saved}

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All variables by name."""
        return super().state | self.generator_weights
