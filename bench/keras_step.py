"""Keras: its layers, losses and Adam, with three GradientTapes in one tf.function."""

import numpy as np
import tensorflow as tf

from bench.task import ADAM_BETA2, ADAM_EPSILON, Implementation, Task, random_data
from gan3.core.triple import Triple

_LAYERS = tf.keras.layers


def prepare(task: Task, _: str) -> Implementation:
    """Always float32."""
    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    tf.config.threading.set_inter_op_parallelism_threads(task.threads)
    networks = Triple(_generator(task), _critic(task, 1), _critic(task, 10))
    adams = Triple(
        *(
            tf.keras.optimizers.Adam(rate, beta1, ADAM_BETA2, ADAM_EPSILON)
            for rate, beta1 in zip(task.learning_rate, task.beta1, strict=True)
        )
    )
    binary = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    digit = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ones, zeros = tf.ones([task.batch_size, 1]), tf.zeros([task.batch_size, 1])

    def fakes(labels):
        noise = tf.random.uniform([task.batch_size, 1, 10], -1, 1)
        latent = tf.one_hot(labels, 10)[:, :, None] * noise
        return networks.generator(tf.reshape(latent, [-1, 100]), training=True)

    def discriminator_loss(images, labels):
        both = tf.concat([images, fakes(labels)], axis=0)
        real, fake = tf.split(networks.discriminator(both, training=True), 2)
        return binary(ones, real) + binary(zeros, fake)

    def generator_loss(_, labels):
        images = fakes(labels)
        real = binary(ones, networks.discriminator(images, training=True))
        return real + digit(labels, networks.determinator(images, training=True))

    def determinator_loss(images, labels):
        return digit(labels, networks.determinator(images, training=True))

    updates = (
        (networks.discriminator, adams.discriminator, discriminator_loss),
        (networks.generator, adams.generator, generator_loss),
        (networks.determinator, adams.determinator, determinator_loss),
    )

    @tf.function
    def step(images, labels):
        for network, adam, loss_of in updates:
            variables = network.trainable_variables
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([w.value for w in variables])
                loss = loss_of(images, labels) + tf.add_n(network.losses)
            adam.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    images, labels = random_data(task.batch_size)
    data = tf.data.Dataset.from_tensor_slices((images[..., None] / np.float32(255), labels))
    batches = iter(data.batch(task.batch_size).cache().repeat().prefetch(tf.data.AUTOTUNE))

    def train(count: int) -> None:
        for _ in range(count):
            step(*next(batches))

    def weights() -> Triple:
        return Triple(*([np.array(w) for w in network.trainable_variables] for network in networks))

    return Implementation(train, weights)


def _dense(width: int, activation: str | None, l1_weight: float) -> tf.keras.layers.Layer:
    return _LAYERS.Dense(
        width, activation=activation, kernel_regularizer=tf.keras.regularizers.L1(l1_weight)
    )


def _generator(task: Task) -> tf.keras.Sequential:
    drop, l1 = 1 - task.keep_prob.generator, task.l1_weight.generator
    layers = [_LAYERS.Input([100])]
    for width in (100, 500, 784):
        layers += [_dense(width, "elu", l1), _LAYERS.Dropout(drop)]
    layers += [_dense(784, "sigmoid", l1), _LAYERS.Reshape([28, 28, 1])]
    return tf.keras.Sequential(layers)


def _critic(task: Task, outputs: int) -> tf.keras.Sequential:
    role = {1: "discriminator", 10: "determinator"}[outputs]
    layers = [_LAYERS.Input([28, 28, 1])]
    for width in (32, 64):
        layers.append(_LAYERS.Conv2D(width, 5, padding="same", activation="elu"))
        layers.append(_LAYERS.MaxPooling2D())
    layers += [
        _LAYERS.Flatten(),
        _dense(1024, "elu", getattr(task.l1_weight, role)),
        _LAYERS.Dropout(1 - getattr(task.keep_prob, role)),
        _dense(outputs, None, getattr(task.l1_weight, role)),
    ]
    return tf.keras.Sequential(layers)
