"""JAX: pure functions of a tree of arrays, with the whole step in one jit and donated state."""

import jax
import jax.numpy as jnp
import numpy as np

from bench.task import (
    ADAM_BETA2,
    ADAM_EPSILON,
    STORED_BATCHES,
    Implementation,
    Task,
    initial_weights,
    random_data,
)
from gan3.core.triple import Triple

_LAYOUT = ("NHWC", "HWIO", "NHWC")


def prepare(task: Task, _: str) -> Implementation:
    """Always float32."""
    weights = Triple(*([jnp.array(w) for w in initial_weights(role)] for role in Triple._fields))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, jax.tree.map(jnp.zeros_like, weights), jnp.zeros([], jnp.float32))
    images, labels = random_data(task.batch_size)
    images, labels = jnp.array(images), jnp.array(labels)

    def fakes(generator, labels, key):
        noise_key, key = jax.random.split(key)
        noise = jax.random.uniform(noise_key, (len(labels), 1, 10), minval=-1, maxval=1)
        h = (jax.nn.one_hot(labels, 10)[:, :, None] * noise).reshape(-1, 100)
        for w, b, k in zip(
            generator[:-2:2], generator[1:-2:2], jax.random.split(key, 3), strict=True
        ):
            h = _dropout(jax.nn.elu(h @ w + b), task.keep_prob.generator, k)
        return jax.nn.sigmoid(h @ generator[-2] + generator[-1]).reshape(-1, 28, 28, 1)

    def discriminator_loss(discriminator, weights, images, labels, key):
        fake_key, key = jax.random.split(key)
        both = jnp.concatenate([images, fakes(weights.generator, labels, fake_key)])
        real, fake = jnp.split(_critic(discriminator, both, task.keep_prob.discriminator, key), 2)
        return jax.nn.softplus(-real).mean() + jax.nn.softplus(fake).mean()

    def generator_loss(generator, weights, images, labels, key):
        fake_key, key, digit_key = jax.random.split(key, 3)
        images = fakes(generator, labels, fake_key)
        real = _critic(weights.discriminator, images, task.keep_prob.discriminator, key)
        digit = _critic(weights.determinator, images, task.keep_prob.determinator, digit_key)
        return jax.nn.softplus(-real).mean() + _digit(digit, labels)

    def determinator_loss(determinator, weights, images, labels, key):
        return _digit(_critic(determinator, images, task.keep_prob.determinator, key), labels)

    updates = (
        ("discriminator", discriminator_loss),
        ("generator", generator_loss),
        ("determinator", determinator_loss),
    )

    def step(state, number):
        weights, m, v, t = state
        first = (number % STORED_BATCHES) * task.batch_size
        batch = jax.lax.dynamic_slice_in_dim(images, first, task.batch_size)[..., None] / 255.0
        requested = jax.lax.dynamic_slice_in_dim(labels, first, task.batch_size)
        keys = jax.random.split(jax.random.fold_in(jax.random.key(0), number), 3)
        t = t + 1
        for (role, loss_of), key in zip(updates, keys, strict=True):
            l1_weight, rate = getattr(task.l1_weight, role), getattr(task.learning_rate, role)
            beta1 = getattr(task.beta1, role)

            def loss(network, loss_of=loss_of, l1_weight=l1_weight, weights=weights, key=key):
                l1 = sum(jnp.abs(w).sum() for w in network if w.ndim == 2)
                return loss_of(network, weights, batch, requested, key) + l1_weight * l1

            gradients = jax.grad(loss)(getattr(weights, role))
            new_m = jax.tree.map(
                lambda a, g, beta1=beta1: beta1 * a + (1 - beta1) * g, getattr(m, role), gradients
            )
            new_v = jax.tree.map(
                lambda a, g: ADAM_BETA2 * a + (1 - ADAM_BETA2) * g * g, getattr(v, role), gradients
            )
            scale = rate * jnp.sqrt(1 - ADAM_BETA2**t) / (1 - beta1**t)
            new_weights = jax.tree.map(
                lambda w, a, b, scale=scale: w - scale * a / (jnp.sqrt(b) + ADAM_EPSILON),
                getattr(weights, role),
                new_m,
                new_v,
            )
            weights, m, v = (
                tree._replace(**{role: network})
                for tree, network in ((weights, new_weights), (m, new_m), (v, new_v))
            )
        return weights, m, v, t

    compiled, done = jax.jit(step, donate_argnums=0), 0

    def train(count: int) -> None:
        nonlocal state, done
        for _ in range(count):
            state = compiled(state, done)
            done += 1
        jax.block_until_ready(state)

    def weights_now() -> Triple:
        return Triple(*([np.array(w) for w in network] for network in state[0]))

    return Implementation(train, weights_now)


def _critic(weights: list, images, keep: float, key):
    h = images
    for w, b in zip(weights[:4:2], weights[1:4:2], strict=True):
        h = jax.lax.conv_general_dilated(h, w, (1, 1), "SAME", dimension_numbers=_LAYOUT)
        h = jax.nn.elu(h + b)
        size = (1, 2, 2, 1)
        h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, size, size, "SAME")
    h = jax.nn.elu(h.reshape(-1, 7 * 7 * 64) @ weights[4] + weights[5])
    return _dropout(h, keep, key) @ weights[6] + weights[7]


def _dropout(h, keep: float, key):
    return jnp.where(jax.random.bernoulli(key, keep, h.shape), h / keep, 0.0)


def _digit(logits, labels):
    label_logits = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    return (jax.nn.logsumexp(logits, axis=1) - label_logits).mean()
