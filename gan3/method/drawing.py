"""What a trained generator is without its weights: a list of layers, and the noise it takes."""

from dataclasses import dataclass

from gan3.core.classes import DIGITS
from gan3.method.config import ThreeNetworkConfig
from gan3.nn.specs import LabelSpec, Specs, shapes_of, stack

IMAGE = 28  # pixels a side
PIXELS = IMAGE * IMAGE
ENTRIES = 10  # of the latent that each class owns
NOISE_RANGES = {"uniform": 1.0, "normal": 2.5}  # the largest value that a slider or a sweep gives


@dataclass(frozen=True)
class GeneratorSpec:
    """A generator: its layers, its noise and its pixels, without the weights.

    An experiment declares it beside its `build`, and both describe the same generator.
    """

    specs: Specs  # from the latent or the noise to the pixels
    class_conditional: bool
    noise_distribution: str  # "uniform", U(-1, 1), or "normal", N(0, 1)
    class_names: tuple[str, ...] = DIGITS
    pixel_min: float = 0.0  # of the last layer, 0 or -1; the highest is 1
    matrix_seed: int | None = None  # of the run, if one noise matrix is drawn for the whole run
    label_entry: bool = False  # a class owns one more entry of the latent: 1 if it is requested
    # What normalises when images are drawn, "running" statistics or those of the "batch" that is
    # drawn; None if there is no choice.
    moments: str | None = None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the arrays that an episode file holds, by name."""
        return shapes_of(self.specs)

    @property
    def noise_entries(self) -> int:
        """Noise entries of an image."""
        first = self.specs[0]
        if isinstance(first, LabelSpec) or not self.class_conditional:
            return first.inputs
        return first.inputs // len(self.class_names) - self.label_entry


def three_network_generator(
    config: ThreeNetworkConfig,
    class_names: tuple[str, ...],
    specs: Specs,
    label_entry: bool = False,
) -> GeneratorSpec:
    """The generator of a three-network system, whose layers are `specs`."""
    return GeneratorSpec(
        specs,
        class_conditional=True,
        noise_distribution="uniform",
        class_names=class_names,
        matrix_seed=config.seed if config.noise_draw == "once" else None,
        label_entry=label_entry,
    )


def described_layers(classes: int, activation: str) -> Specs:
    """The layers of the description: hidden layers of 100, 500 and 784, then 784 sigmoids."""
    widths = (classes * ENTRIES, 100, 500, 784, PIXELS)
    return stack("generator", widths, activation, "sigmoid")
