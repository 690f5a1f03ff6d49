"""What an experiment declares of its trained networks: lists of layers, and what they take."""

from dataclasses import dataclass

from gan3.nn.specs import Dense, Label, Shapes, Specs, shapes_of

ENTRIES = 10  # latent entries that each class owns, as described
CODE_MOMENTS = ("determinator/code/means", "determinator/code/variances")  # for each class
NOISE_RANGES = {"uniform": 1.0, "normal": 2.5}  # the largest value that a slider or a sweep gives


@dataclass(frozen=True)
class GeneratorSpec:
    """A generator: its layers, its noise and its pixels, without the weights.

    An experiment declares it beside its `build`, and both describe the same generator.
    """

    specs: Specs  # from the latent or the noise to the pixels
    class_conditional: bool
    noise_distribution: str  # "uniform", U(-1, 1), or "normal", N(0, 1)
    class_names: tuple[str, ...]
    pixel_min: float = 0.0  # lowest output of the last layer, 0 or -1; the highest is 1
    matrix_seed: int | None = None  # the run's seed, if one noise matrix is drawn for the whole run
    label_entry: bool = False  # a class owns one more entry of the latent: 1 if it is requested
    # What normalises when images are drawn, "running" statistics or those of the "batch" that is
    # drawn; None if there is no choice.
    moments: str | None = None

    @property
    def shapes(self) -> Shapes:
        """The shapes of the arrays that an episode file holds, by name."""
        return shapes_of(self.specs)

    @property
    def noise_entries(self) -> int:
        """Noise entries of an image."""
        first = self.specs[0]
        if isinstance(first, Label) or not self.class_conditional:
            return first.inputs
        return first.inputs // len(self.class_names) - self.label_entry


@dataclass(frozen=True)
class DeterminatorSpec:
    """A determinator, with the encoder of `best` if any, without the weights.

    An experiment declares it beside its `build`, and both describe the same determinator. Images
    [B, 28, 28, 1] pass the `features`. Of the last of these, `logits` are the class logits
    [B, K], and `encoder`, if there is one, numbers, which the moments of the class normalise to
    a code of variance 1 - `code_noise`.
    """

    features: Specs
    logits: Dense
    class_names: tuple[str, ...]
    encoder: Dense | None = None
    code_noise: float = 0.0
    pixel_min: float = 0.0  # lowest input of the features, 0 or -1; the highest is 1

    @property
    def shapes(self) -> Shapes:
        """The shapes of all its arrays by name."""
        if self.encoder is None:
            return shapes_of((*self.features, self.logits))
        moments = dict.fromkeys(CODE_MOMENTS, (len(self.class_names), self.encoder.outputs))
        return shapes_of((*self.features, self.logits, self.encoder)) | moments
