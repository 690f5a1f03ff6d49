"""Reading images by NumPy alone: the determinator as arrays, with the encoder of `best` if any."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gan3.core.classes import DIGITS
from gan3.method.config import ThreeNetworkConfig
from gan3.method.drawing import ENTRIES, IMAGE
from gan3.nn import convolutions, dense
from gan3.nn.convolutions import ConvSpec
from gan3.nn.dense import DenseSpec

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


def described_determinator(config: ThreeNetworkConfig) -> DeterminatorSpec:
    """The determinator of the description, 5 x 5 kernels and 2 x 2 max-pools, without encoder."""
    shape = (DESCRIBED_WIDTHS, DESCRIBED_KERNEL, "pool", config.activation.determinator)
    return critic_layers("determinator", config.classes, *shape, class_names=config.class_names)


class NumpyDeterminator:
    """A determinator with its weights: reads in NumPy what its system reads in TensorFlow.

    The results differ in the last bits of float32. `convolutions`, `hidden`, `logits` and `encoder`
    are its layers; the code of class c is (encoder - `code_means`[c]) `code_scales`[c]. Without an
    encoder these three are None.
    """

    def __init__(self, spec: DeterminatorSpec, arrays: Mapping[str, np.ndarray]):
        """arrays: float32, by the names and shapes of `spec.shapes`."""
        self.class_names = spec.class_names
        self.convolutions = [conv.layer(arrays) for conv in spec.convolutions]
        self.hidden, self.logits = spec.hidden.layer(arrays), spec.logits.layer(arrays)
        self.encoder = self.code_means = self.code_scales = None
        if spec.encoder is not None:
            self.encoder = spec.encoder.layer(arrays)
            self.code_means, variances = (arrays[name] for name in CODE_MOMENTS)
            kept = np.float32(math.sqrt(1 - spec.code_noise))
            self.code_scales = kept / np.sqrt(variances + np.float32(dense.EPSILON))

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities [B, K] of images [B, 28, 28] in 0..1, both float32."""
        return _softmax(dense.forward([self.logits], self._features(images)))

    def encode(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Class probabilities [B, K] and noise [B, 10] in -1..1 of images [B, 28, 28] in 0..1.

        The noise is that of the code of the most probable class. All are float32. Only with an
        encoder.
        """
        h = self._features(images)
        probabilities = _softmax(dense.forward([self.logits], h))
        labels = probabilities.argmax(axis=1)
        numbers = dense.forward([self.encoder], h)
        code = (numbers - self.code_means[labels]) * self.code_scales[labels]
        return probabilities, normal_to_uniform(code)

    def _features(self, images: np.ndarray) -> np.ndarray:
        """The last hidden layer [B, hidden]."""
        h = convolutions.forward(self.convolutions, images[..., None])
        return dense.forward([self.hidden], h.reshape(len(h), -1))


def normal_to_uniform(code: np.ndarray) -> np.ndarray:
    """Noise in -1..1 of a normal code, float32: erf(code / sqrt 2), as in `vae_gan.train_step`."""
    erf = np.frompyfunc(math.erf, 1, 1)  # NumPy has none
    return erf(code.astype(np.float64) / math.sqrt(2)).astype(np.float32)


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
