"""gan3: the three-network digit GAN (generator, discriminator, determinator)."""

__version__ = "0.1.0"
