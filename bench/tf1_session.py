"""TensorFlow 1, as in the published script: a graph, AdamOptimizer, a Session fed with batches."""

import numpy as np
import tensorflow.compat.v1 as tf

from bench.task import STORED_BATCHES, Implementation, Task, initial_weights, random_data
from gan3.core.triple import Triple


def prepare(task: Task, _: str) -> Implementation:
    """Always float32."""
    tf.disable_eager_execution()
    images, labels = random_data(task.batch_size)
    images = (images / np.float32(255)).reshape(-1, 28, 28, 1)
    labels = np.eye(10, dtype=np.float32)[labels]
    image_batch = tf.placeholder(tf.float32, [None, 28, 28, 1])
    one_hot_batch = tf.placeholder(tf.float32, [None, 10])
    variables = Triple(
        *([tf.Variable(w, name=role) for w in initial_weights(role)] for role in Triple._fields)
    )
    fakes = _generator(variables.generator, one_hot_batch, task.keep_prob.generator)

    real_logits = _critic(variables.discriminator, image_batch, task.keep_prob.discriminator)
    fake_logits = _critic(variables.discriminator, fakes, task.keep_prob.discriminator)
    real_digits = _critic(variables.determinator, image_batch, task.keep_prob.determinator)
    fake_digits = _critic(variables.determinator, fakes, task.keep_prob.determinator)
    losses = Triple(
        generator=_binary(fake_logits, 1) + _digit(fake_digits, one_hot_batch),
        discriminator=_binary(real_logits, 1) + _binary(fake_logits, 0),
        determinator=_digit(real_digits, one_hot_batch),
    )
    updates = Triple(
        *(
            tf.train.AdamOptimizer(rate, beta1).minimize(loss + weight * _l1(own), var_list=own)
            for rate, beta1, weight, loss, own in zip(
                task.learning_rate, task.beta1, task.l1_weight, losses, variables, strict=True
            )
        )
    )
    threads = task.threads
    session = tf.Session(
        config=tf.ConfigProto(
            intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads
        )
    )
    session.run(tf.global_variables_initializer())
    done = 0

    def train(count: int) -> None:
        nonlocal done
        for _ in range(count):
            first = (done % STORED_BATCHES) * task.batch_size
            rows = slice(first, first + task.batch_size)
            feed = {image_batch: images[rows], one_hot_batch: labels[rows]}
            for update in (updates.discriminator, updates.generator, updates.determinator):
                session.run(update, feed)
            done += 1

    return Implementation(train, lambda: Triple(*(session.run(network) for network in variables)))


def _generator(weights: list, one_hot, keep: float):
    noise = tf.random_uniform([tf.shape(one_hot)[0], 1, 10], -1, 1)
    h = tf.reshape(one_hot[:, :, None] * noise, [-1, 100])
    for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        h = tf.nn.dropout(tf.nn.elu(tf.matmul(h, w) + b), rate=1 - keep)
    return tf.reshape(tf.nn.sigmoid(tf.matmul(h, weights[-2]) + weights[-1]), [-1, 28, 28, 1])


def _critic(weights: list, images, keep: float):
    h = images
    for w, b in zip(weights[:4:2], weights[1:4:2], strict=True):
        h = tf.nn.elu(tf.nn.conv2d(h, w, strides=[1, 1, 1, 1], padding="SAME") + b)
        h = tf.nn.max_pool(h, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    h = tf.nn.elu(tf.matmul(tf.reshape(h, [-1, 7 * 7 * 64]), weights[4]) + weights[5])
    return tf.matmul(tf.nn.dropout(h, rate=1 - keep), weights[6]) + weights[7]


def _binary(logits, target: int):
    targets = tf.fill(tf.shape(logits), float(target))
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))


def _digit(logits, one_hot):
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=one_hot, logits=logits))


def _l1(weights: list):
    return tf.add_n([tf.reduce_sum(tf.abs(w)) for w in weights if w.shape.rank == 2])
