"""The best three networks in 200,000 images: everything open, the idea kept.

The generator works on one-hot x noise, the other two are CNN critics, and each has its role. The
determinator has one more: besides the digit of a real image it encodes 13 numbers that say how it
was written, and the generator must reconstruct the image from them. Reconstructed images must also
pass the discriminator, which is given the requested digit. The rest is what the field has learned
since 2017: batch normalisation and no dropout in the generator, leaky ReLU, small strided critics
without dropout and L1, learning-rate decay, an averaged generator.

Departures from three_network, numbered, with their sources. All were chosen on the last 5,000
training images, never on the test set. docs/best.md has what each is worth.
"""

from typing import TYPE_CHECKING

from gan3.core.triple import Triple
from gan3.vae_gan import networks
from gan3.vae_gan.config import VaeGanConfig

if TYPE_CHECKING:
    from gan3.vae_gan.vae_gan import VaeGan

CONFIG = VaeGanConfig(
    experiment="best",
    precision="auto",  # bfloat16 where it is fast, as in docs/results.md
    noise_draw="example",
    initializer="glorot",
    # 1. Smaller critics, strides instead of max-pools (Radford et al. 2016).
    generator_widths=(256, 512),
    discriminator_widths=(32, 64, 256),
    determinator_widths=(32, 64, 256),
    kernel_size=4,
    downsampling="stride",
    # 2. No dropout and no L1 in any network.
    keep_prob=Triple(1.0, 1.0, 1.0),
    l1_weight=Triple(0.0, 0.0, 0.0),
    # 3. Leaky ReLU, slope 0.2 (Radford et al. 2016).
    activation=Triple("leaky_relu", "leaky_relu", "leaky_relu"),
    # 4. Batch normalisation in the generator (Ioffe & Szegedy 2015), and wider first layers.
    batch_norm=True,
    # 5. The discriminator is given the requested digit (Mirza & Osindero 2014).
    class_conditional_discriminator=True,
    # 6. Learning rates decay after three tenths of the schedule, and the generator is averaged over
    #    steps (Yazici et al. 2019).
    lr_decay_start=0.3,
    ema_decay=0.995,
    learning_rate=Triple(4e-3, 4e-3, 1e-3),
    beta1=Triple(0.5, 0.5, 0.9),
    # With 0.999 one of thirteen runs (of ten numbers) failed: a batch with eighteen times the usual
    # gradient moved the discriminator so far that it never recovered.
    beta2=0.99,
    # 7. The determinator encodes the handwriting and the generator reconstructs it (Larsen et al.
    #    2016, Bao et al. 2017).
    reconstruction_weight=0.025,
    # 8. Reconstructed images must pass the discriminator (Larsen et al. 2016).
    reconstruction_adversarial_weight=2.0,
    # 9. A decoder of transposed convolutions (Radford et al. 2016): 7 x 7 places with 48 channels,
    #    14 x 14 with 32, then the pixels. The described generator is dense to the end.
    generator_channels=(48, 32),
    # 10. The codes are normalised by class and get noise of a fixed variance, in place of a
    #     predicted variance and a divergence from N(0, 1) (Kingma & Welling 2014).
    code_noise=0.1,
    # 11. The classes share weights of the noise, as in a conditional GAN that is given noise beside
    #     the label (Mirza & Osindero 2014), and the latent says the class when the noise is 0. A
    #     code then means much the same in each class (docs/style.md).
    shared_noise=True,
    # 12. The usual cross entropy of the digit, at twice the weight of real/fake, for its accuracy.
    digit_loss="softmax_mean",
    digit_weight=2.0,
    # 13. More numbers for the noise than the described ten: handwriting varies in more ways.
    noise_entries=13,
)


def build(config: VaeGanConfig, class_names: tuple[str, ...], dtype: str) -> "VaeGan":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.vae_gan.vae_gan import VaeGan

    return VaeGan(config, class_names, dtype)


# Those of `build`, for drawing and reading without TensorFlow.
generator, determinator = networks.trained_generator, networks.trained_determinator
