"""What a trained determinator is without its weights, with the encoder of `best` if any."""

from dataclasses import dataclass

from gan3.core.classes import DIGITS
from gan3.method.config import ThreeNetworkConfig
from gan3.method.drawing import ENTRIES, IMAGE
from gan3.nn.specs import ConvSpec, DenseSpec

DESCRIBED_WIDTHS = (32, 64, 1024)  # of the description: two convolutions, then a dense layer
DESCRIBED_KERNEL = 5  # its side
CODE_MOMENTS = ("determinator/code/means", "determinator/code/variances")  # of each class


@dataclass(frozen=True)
class DeterminatorSpec:
    """A determinator: its arrays and what they compute, without the weights.

    An experiment declares it beside its `build`, and both describe the same determinator. Images
    [B, 28, 28, 1] in 0..1 pass the convolutions, are flattened in C order, and pass `hidden`. Of
    that, `logits` are the class logits [B, K], and `encoder`, if there is one, ten numbers, which
    the moments of the class normalise to a code of variance 1 - `code_noise`.
    """

    convolutions: tuple[ConvSpec, ...]
    hidden: DenseSpec
    logits: DenseSpec
    encoder: DenseSpec | None = None
    class_names: tuple[str, ...] = DIGITS
    code_noise: float = 0.0

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of all its arrays by name."""
        specs = [*self.convolutions, self.hidden, self.logits]
        shapes = {}
        if self.encoder is not None:
            specs.append(self.encoder)
            shapes = dict.fromkeys(CODE_MOMENTS, (len(self.class_names), ENTRIES))
        return {name: shape for spec in specs for name, shape in spec.shapes().items()} | shapes


def critic_layers(
    name: str,
    outputs: int,
    widths: tuple[int, ...],
    kernel_size: int,
    downsampling: str,
    activation: str,
    has_encoder: bool = False,
    class_names: tuple[str, ...] = DIGITS,
    code_noise: float = 0.0,
) -> DeterminatorSpec:
    """A critic that is not given labels, as `vae_gan.VaeGanCritic` computes it.

    Its own arguments are `has_encoder`, `class_names` of the logits, and `code_noise`, the variance
    of the noise that the codes had in training.
    """
    *channels, hidden = widths
    stride, pool = (2, False) if downsampling == "stride" else (1, True)
    sizes = zip((1, *channels), channels, strict=False)
    side = IMAGE
    for _ in channels:
        side = -(-side // 2)
    return DeterminatorSpec(
        tuple(
            ConvSpec(f"{name}/conv{number}", kernel_size, *size, activation, stride, pool)
            for number, size in enumerate(sizes, start=1)
        ),
        DenseSpec(f"{name}/hidden", side * side * channels[-1], hidden, activation),
        DenseSpec(f"{name}/logits", hidden, outputs, "none"),
        DenseSpec(f"{name}/encoder", hidden, ENTRIES, "none") if has_encoder else None,
        class_names,
        code_noise,
    )


def described_determinator(
    config: ThreeNetworkConfig, class_names: tuple[str, ...]
) -> DeterminatorSpec:
    """The determinator of the description, 5 x 5 kernels and 2 x 2 max-pools, without encoder."""
    shape = (DESCRIBED_WIDTHS, DESCRIBED_KERNEL, "pool", config.activation.determinator)
    return critic_layers("determinator", len(class_names), *shape, class_names=class_names)
