"""conditional_dcgan against PyTorch modules with the same weights.

They are written as their description reads there: layer by layer, channels first, PyTorch's
paddings. `make test-all` installs PyTorch's CPU build where it can be had.
"""

import unittest

import numpy as np
import tensorflow as tf

from gan3.core.classes import DIGITS
from gan3.nn import layers
from gan3.runs.registry import build, config_of
from tests.support import RUN_SLOW, has, needs, slow

if RUN_SLOW and has("torch"):
    import torch
    from torch import nn
    from torch.nn import functional

COUNT = 6  # images in a batch
TOLERANCE = 1e-4
LABELS = np.array([3, 0, 9, 3, 5, 1])


def system_of(name, **changes):
    """The system of an experiment with some fields of its config set from text."""
    config = config_of(name)
    for key, text in changes.items():
        config = config.with_text(key, text)
    return build(config, DIGITS, "float32")


def moments_of(network):
    """The running mean and variance of each batch normalisation, in order."""
    names = [name.removesuffix("/mean") for name in network.variables if name.endswith("/mean")]
    return [(network.variables[f"{n}/mean"], network.variables[f"{n}/variance"]) for n in names]


def draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def relative(got, expected):
    """The largest difference, relative to the largest expected value."""
    got, expected = np.asarray(got), np.asarray(expected)
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def to_torch(name, value, shape):
    """A variable's value [...] as the PyTorch parameter of `shape` has it."""
    if value.ndim == 4:  # [h, w, in, out] to [out, in, h, w]; of a transposed one likewise
        value = value.transpose(3, 2, 0, 1)
    elif value.ndim == 2 and name.startswith("logits") and len(shape) == 4:
        # a dense layer of [4 x 4 x 1024, 1] that is a 4 x 4 convolution there
        value = value.reshape(shape[2], shape[3], shape[1], 1).transpose(3, 2, 0, 1)
    elif value.ndim == 2 and not name.startswith("digit"):
        value = value.T
    assert value.shape == tuple(shape), (name, value.shape, shape)
    return np.ascontiguousarray(value)


def channels_first(array):
    """An array [B, h, w, channels] or [B, n] as a tensor of PyTorch's."""
    array = array.transpose(0, 3, 1, 2) if array.ndim == 4 else array
    return torch.tensor(np.ascontiguousarray(array))


def channels_last(tensor):
    array = tensor.numpy()
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


@slow("seconds, and as many to import PyTorch")
@needs("torch", remedy="make bench-torch")
class PyTorch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)

    def check(self, network, module, parameters, forward, *shape):
        """With the batch's moments, then with the running ones; `shape` is that of the inputs.

        A value within rounding of the kink of a ReLU may get the slope of either side, and one of
        300,000 such values is visible in the gradient of the inputs. So gradients must agree for
        one of three draws, outputs for every draw.
        """
        for number, w in enumerate(network.weights):  # away from their initial values
            w.assign_add(0.02 * draw(number, *w.shape))
        for training in (True, False):
            with self.subTest(training=training):
                differences = []
                for seed in (50, 51, 52):
                    self.share_moments(network, module)
                    inputs = np.tanh(draw(seed, *shape))
                    differences.append(
                        self.differences(
                            network, module, parameters, forward, inputs, LABELS, training
                        )
                    )
                    if max(differences[-1].values()) < TOLERANCE:
                        break
                else:
                    self.fail(f"gradients differ by {differences}")

    def share_moments(self, network, module):
        """Running moments of the network for the module, too."""
        theirs = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
        for (mean, variance), layer in zip(moments_of(network), theirs, strict=True):
            layer.running_mean.copy_(torch.tensor(mean.numpy()))
            layer.running_var.copy_(torch.tensor(variance.numpy()))

    def differences(self, network, module, parameters, forward, inputs, labels, training):
        """Those of the gradients by name, relative; outputs are compared here.

        parameters: of `module`, in the order of the network's variables.
        forward: a function of inputs in PyTorch's order of axes, and of labels.
        """
        self.assertEqual(len(parameters), len(network.weights))
        names = [w.name.split("/", 1)[1].removesuffix(":0") for w in network.weights]
        with torch.no_grad():
            for name, w, parameter in zip(names, network.weights, parameters, strict=True):
                parameter.copy_(torch.tensor(to_torch(name, w.numpy(), parameter.shape)))
                parameter.grad = None
        module.train(training)
        digits, seed = tf.constant(labels), tf.constant([0, 0]) if training else None
        x = tf.constant(inputs)
        with tf.GradientTape() as tape:
            tape.watch(x)
            if network.name == "generator":
                got = network(x, seed, tf.one_hot(digits, 10))
                got = tf.reshape(got, [-1, 28, 28, 1])
            else:
                got, _ = network.heads(x, digits, seed)
            upstream = draw(98, *got.shape)
            loss = tf.reduce_sum(got * upstream)
        mine = dict(
            zip(["inputs", *names], tape.gradient(loss, [x, *network.weights]), strict=True)
        )

        x = channels_first(inputs).requires_grad_()
        outputs = forward(x, torch.tensor(labels))
        (outputs * channels_first(upstream)).sum().backward()
        expected = channels_last(outputs.detach())
        self.assertEqual(got.shape, expected.shape)
        self.assertGreater(expected.std(), 1e-3)
        self.assertLess(np.abs(got - expected).max() / expected.std(), TOLERANCE)

        # Biases before a normalisation have no gradient but for rounding, so the differences are
        # relative to the largest gradient of the network's biases, or of its other variables.
        found = {"inputs": relative(mine["inputs"], channels_last(x.grad))}
        for name, parameter in zip(names, parameters, strict=True):
            gradient = to_torch(name, tf.convert_to_tensor(mine[name]).numpy(), parameter.shape)
            alike = [p for p in parameters if (p.ndim == 1) == (parameter.ndim == 1)]
            largest = max(float(p.grad.abs().max()) for p in alike)
            found[name] = float(np.abs(gradient - parameter.grad.numpy()).max() / largest)
        return found

    def conditional_generator(self):
        """Transposed convolutions: (channels, stride, padding), ReLU, then normalisation."""
        stack, width = [], 110
        for out, stride, padding in ((50, 2, 1), (30, 2, 1), (15, 1, 0), (8, 2, 1)):
            stack += [
                nn.ConvTranspose2d(width, out, 4, stride, padding), nn.ReLU(), nn.BatchNorm2d(out)
            ]  # fmt: skip
            width = out
        module = nn.Sequential(*stack, nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Tanh())
        digit = nn.Embedding(10, 10)

        def forward(x, labels):
            return module(torch.cat([x, digit(labels)], dim=1)[:, :, None, None])

        convs = [layer for layer in module if isinstance(layer, nn.ConvTranspose2d)]
        norms = [layer for layer in module if isinstance(layer, nn.BatchNorm2d)]
        ordered = [digit.weight, *(p for layer in [*convs, *norms] for p in layer.parameters())]
        return nn.ModuleList([digit, *convs, *norms]), ordered, forward

    def conditional_discriminator(self):
        digit = nn.Embedding(10, 56 * 56)
        sheet, image = nn.Conv2d(1, 64, 4, 2, 1), nn.Conv2d(1, 64, 3, 1, 1)
        convs, norms, width = [], [], 128
        for out, padding in ((256, 1), (512, 1), (1024, 2)):
            convs.append(nn.Conv2d(width, out, 4, 2, padding))
            norms.append(nn.BatchNorm2d(out))
            width = out
        last = nn.Conv2d(1024, 1, 4, 1, 0)

        def forward(x, labels):
            sheets = functional.leaky_relu(sheet(digit(labels).view(-1, 1, 56, 56)), 0.2)
            h = torch.cat([functional.leaky_relu(image(x), 0.2), sheets], dim=1)
            for conv, norm in zip(convs, norms, strict=True):
                h = norm(functional.leaky_relu(conv(h), 0.2))
            return last(h).flatten(1)

        module = nn.ModuleList([digit, sheet, image, *convs, *norms, last])
        ordered = [
            *image.parameters(), digit.weight, *sheet.parameters(),
            *(p for layer in [*convs, *norms, last] for p in layer.parameters()),
        ]  # fmt: skip
        return module, ordered, forward

    def test_conditional_dcgan(self):
        self.check(
            system_of("conditional_dcgan", sampling_moments="running").generator,
            *self.conditional_generator(), COUNT, 100,
        )  # fmt: skip
        self.check(
            system_of("conditional_dcgan").discriminator, *self.conditional_discriminator(),
            COUNT, 28, 28, 1,
        )  # fmt: skip

    def test_running_moments(self):
        """PyTorch's running variance is the unbiased one, n / (n - 1) of the batch's own.

        Departure 5 of `experiments/conditional_dcgan.py`: here it is the batch's own.
        """
        count = 64
        network = system_of("conditional_dcgan", sampling_moments="running").generator
        module, parameters, forward = self.conditional_generator()
        norms = [layer for layer in module if isinstance(layer, nn.BatchNorm2d)]
        for seed in range(3):
            noise, labels = draw(seed, count, 100), np.arange(count) % 10
            self.differences(network, module, parameters, forward, noise, labels, True)
        moments = zip(moments_of(network), norms, (2, 4, 7, 14), strict=True)
        for (mean, variance), theirs, side in moments:
            n = count * side**2
            self.assertLess(relative(mean, theirs.running_mean), TOLERANCE)
            # After three steps .9 cubed is left of the first value, 1; the rest is of batches.
            first = 0.9**3
            expected = first + (theirs.running_var.numpy() - first) * (n - 1) / n
            self.assertLess(relative(variance, expected), TOLERANCE)


@slow("seconds to import PyTorch")
@needs("torch", remedy="make bench-torch")
class PaddingConventions(unittest.TestCase):
    """Which of TensorFlow's paddings is which of PyTorch's, on even and odd sides."""

    def same(self, got, expected):
        self.assertLess(relative(got, expected.detach().numpy().transpose(0, 2, 3, 1)), 1e-5)

    def test_convolutions(self):
        for height, width in ((28, 28), (7, 9)):
            x = draw(1, 2, height, width, 3)
            for side, stride, padding in ((4, 2, 1), (4, 2, 2), (3, 1, 1), (5, 2, 2)):
                w, b = draw(2, side, side, 3, 5), draw(3, 5)
                expected = functional.conv2d(
                    torch.tensor(x.transpose(0, 3, 1, 2)), torch.tensor(w.transpose(3, 2, 0, 1)),
                    torch.tensor(b), stride, padding,
                )  # fmt: skip
                arguments = tf.constant(x), tf.Variable(w), tf.Variable(b), stride, padding
                self.same(layers.conv(*arguments), expected)
                if (side - stride) % 2 == 0 and padding == (side - stride) // 2 and height == 28:
                    self.same(layers.conv(*arguments[:-1]), expected)  # SAME

    def test_transposed_convolutions(self):
        for side, stride, padding, name in (
            (4, 2, 1, "SAME"), (4, 1, 0, "VALID"), (5, 1, 2, "SAME"), (4, 2, 0, "VALID"),
        ):  # fmt: skip
            x, w, b = draw(1, 2, 7, 5, 3), draw(2, side, side, 4, 3), draw(3, 4)
            expected = functional.conv_transpose2d(
                torch.tensor(x.transpose(0, 3, 1, 2)), torch.tensor(w.transpose(3, 2, 0, 1)),
                torch.tensor(b), stride, padding,
            )  # fmt: skip
            got = layers.conv_transpose(
                tf.constant(x), tf.Variable(w), tf.Variable(b), stride, name
            )
            self.same(got, expected)
