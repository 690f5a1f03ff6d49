"""JAX: pure functions of a tree of arrays, the whole step in one jit with donated state."""

import jax
import jax.numpy as jnp
import numpy as np

from gan3.core.triple import Triple
from tests.bench.task import ADAM_BETA2, ADAM_EPSILON, Contestant, Task, digits, first_weights

_LAYOUT = ("NHWC", "HWIO", "NHWC")


def prepare(task: Task, _: str) -> Contestant:
    """float32, whatever the variant."""
    weights = Triple(*([jnp.array(w) for w in first_weights(role)] for role in Triple._fields))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, jax.tree.map(jnp.zeros_like, weights), jnp.zeros([], jnp.float32))
    images, labels = digits(20 * task.batch_size)
    images, labels = jnp.array(images), jnp.array(labels)

    def fakes(own, labels, key):
        noise_key, key = jax.random.split(key)
        noise = jax.random.uniform(noise_key, (len(labels), 1, 10), minval=-1, maxval=1)
        h = (jax.nn.one_hot(labels, 10)[:, :, None] * noise).reshape(-1, 100)
        for w, b, k in zip(own[:-2:2], own[1:-2:2], jax.random.split(key, 3), strict=True):
            h = _dropout(jax.nn.elu(h @ w + b), task.keep_prob.generator, k)
        return jax.nn.sigmoid(h @ own[-2] + own[-1]).reshape(-1, 28, 28, 1)

    def discriminator_loss(own, weights, images, labels, key):
        fake_key, key = jax.random.split(key)
        both = jnp.concatenate([images, fakes(weights.generator, labels, fake_key)])
        real, fake = jnp.split(_critic(own, both, task.keep_prob.discriminator, key), 2)
        return jax.nn.softplus(-real).mean() + jax.nn.softplus(fake).mean()

    def generator_loss(own, weights, images, labels, key):
        fake_key, key, digit_key = jax.random.split(key, 3)
        images = fakes(own, labels, fake_key)
        real = _critic(weights.discriminator, images, task.keep_prob.discriminator, key)
        digit = _critic(weights.determinator, images, task.keep_prob.determinator, digit_key)
        return jax.nn.softplus(-real).mean() + _digit(digit, labels)

    def determinator_loss(own, weights, images, labels, key):
        return _digit(_critic(own, images, task.keep_prob.determinator, key), labels)

    in_order = (
        ("discriminator", discriminator_loss),
        ("generator", generator_loss),
        ("determinator", determinator_loss),
    )

    def step(state, number):
        weights, m, v, t = state
        rows = (number % 20) * task.batch_size
        batch = jax.lax.dynamic_slice_in_dim(images, rows, task.batch_size)[..., None] / 255.0
        asked = jax.lax.dynamic_slice_in_dim(labels, rows, task.batch_size)
        keys = jax.random.split(jax.random.fold_in(jax.random.key(0), number), 3)
        t = t + 1
        for (role, loss_of), key in zip(in_order, keys, strict=True):
            l1_weight, rate = getattr(task.l1_weight, role), getattr(task.learning_rate, role)
            beta1 = getattr(task.beta1, role)

            def loss(own, loss_of=loss_of, l1_weight=l1_weight, weights=weights, key=key):
                l1 = sum(jnp.abs(w).sum() for w in own if w.ndim == 2)
                return loss_of(own, weights, batch, asked, key) + l1_weight * l1

            gradients = jax.grad(loss)(getattr(weights, role))
            own_m = jax.tree.map(
                lambda a, g, beta1=beta1: beta1 * a + (1 - beta1) * g, getattr(m, role), gradients
            )
            own_v = jax.tree.map(
                lambda a, g: ADAM_BETA2 * a + (1 - ADAM_BETA2) * g * g, getattr(v, role), gradients
            )
            scale = rate * jnp.sqrt(1 - ADAM_BETA2**t) / (1 - beta1**t)
            moved = jax.tree.map(
                lambda w, a, b, scale=scale: w - scale * a / (jnp.sqrt(b) + ADAM_EPSILON),
                getattr(weights, role),
                own_m,
                own_v,
            )
            weights, m, v = (
                tree._replace(**{role: own})
                for tree, own in ((weights, moved), (m, own_m), (v, own_v))
            )
        return weights, m, v, t

    compiled, done = jax.jit(step, donate_argnums=0), 0

    def steps(count: int) -> None:
        nonlocal state, done
        for _ in range(count):
            state = compiled(state, done)
            done += 1
        jax.block_until_ready(state)

    return Contestant(steps, lambda: Triple(*([np.array(w) for w in own] for own in state[0])))


def _critic(own: list, images, keep: float, key):
    h = images
    for w, b in zip(own[:4:2], own[1:4:2], strict=True):
        h = jax.lax.conv_general_dilated(h, w, (1, 1), "SAME", dimension_numbers=_LAYOUT)
        h = jax.nn.elu(h + b)
        size = (1, 2, 2, 1)
        h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, size, size, "SAME")
    h = jax.nn.elu(h.reshape(-1, 7 * 7 * 64) @ own[4] + own[5])
    return _dropout(h, keep, key) @ own[6] + own[7]


def _dropout(h, keep: float, key):
    return jnp.where(jax.random.bernoulli(key, keep, h.shape), h / keep, 0.0)


def _digit(logits, labels):
    own = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    return (jax.nn.logsumexp(logits, axis=1) - own).mean()
