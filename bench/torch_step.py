"""PyTorch: channels-last, fused Adam, bfloat16 by autocast, eager or compiled."""

import contextlib

import torch
from torch import nn
from torch.nn import functional

from bench.task import (
    ADAM_BETA2,
    ADAM_EPSILON,
    STORED_BATCHES,
    Implementation,
    Task,
    random_data,
)
from gan3.core.triple import Triple


def prepare(task: Task, variant: str) -> Implementation:
    """`variant` is "eager float32", "eager bfloat16", "compiled float32" or "compiled bfloat16"."""
    form, precision = variant.split()
    torch.set_num_threads(task.threads)
    torch.manual_seed(0)
    networks = Triple(_generator(task), _critic(task, 1), _critic(task, 10))
    networks = Triple(*(network.to(memory_format=torch.channels_last) for network in networks))
    variables = Triple(*(list(network.parameters()) for network in networks))
    matrices = Triple(*([w for w in network if w.dim() == 2] for network in variables))
    adams = Triple(
        *(
            torch.optim.Adam(
                network, lr=rate, betas=(beta1, ADAM_BETA2), eps=ADAM_EPSILON, fused=True
            )
            for network, rate, beta1 in zip(variables, task.learning_rate, task.beta1, strict=True)
        )
    )
    calls = Triple(*map(torch.compile, networks)) if form == "compiled" else networks
    ones, zeros = torch.ones(task.batch_size, 1), torch.zeros(task.batch_size, 1)
    binary = functional.binary_cross_entropy_with_logits

    def autocast():
        if precision == "bfloat16":
            return torch.autocast("cpu", torch.bfloat16)
        return contextlib.nullcontext()

    def fakes(labels):
        noise = torch.rand(task.batch_size, 1, 10) * 2 - 1
        latent = functional.one_hot(labels, 10)[:, :, None] * noise
        return calls.generator(latent.flatten(1)).float().view(-1, 1, 28, 28)

    def discriminator_loss(images, labels):
        with torch.no_grad():
            both = torch.cat([images, fakes(labels)])
        real, fake = calls.discriminator(both).float().chunk(2)
        return binary(real, ones) + binary(fake, zeros)

    def generator_loss(_, labels):
        images = fakes(labels)
        real = binary(calls.discriminator(images).float(), ones)
        return real + functional.cross_entropy(calls.determinator(images).float(), labels)

    def determinator_loss(images, labels):
        return functional.cross_entropy(calls.determinator(images).float(), labels)

    updates = (
        ("discriminator", discriminator_loss),
        ("generator", generator_loss),
        ("determinator", determinator_loss),
    )
    images, labels = random_data(task.batch_size)
    images = torch.from_numpy(images)[:, None].to(memory_format=torch.channels_last)
    labels = torch.from_numpy(labels).long()
    done = 0

    def train(count: int) -> None:
        nonlocal done
        for _ in range(count):
            first = (done % STORED_BATCHES) * task.batch_size
            rows = slice(first, first + task.batch_size)
            batch = images[rows].float() / 255
            for role, loss_of in updates:
                adam = getattr(adams, role)
                adam.zero_grad()
                with autocast():
                    loss = loss_of(batch, labels[rows])
                l1 = sum(w.abs().sum() for w in getattr(matrices, role))
                loss = loss + getattr(task.l1_weight, role) * l1
                loss.backward(inputs=getattr(variables, role))  # no gradients of other networks
                adam.step()
            done += 1

    def weights() -> Triple:
        return Triple(*([w.detach().numpy().copy() for w in network] for network in variables))

    return Implementation(train, weights)


def _generator(task: Task) -> nn.Module:
    drop = 1 - task.keep_prob.generator
    layers = []
    for fan_in, width in ((100, 100), (100, 500), (500, 784)):
        layers += [nn.Linear(fan_in, width), nn.ELU(), nn.Dropout(drop)]
    return nn.Sequential(*layers, nn.Linear(784, 784), nn.Sigmoid())


def _critic(task: Task, outputs: int) -> nn.Module:
    role = {1: "discriminator", 10: "determinator"}[outputs]
    layers = []
    for depth, width in ((1, 32), (32, 64)):
        layers += [nn.Conv2d(depth, width, 5, padding=2), nn.ELU(), nn.MaxPool2d(2)]
    hidden = [nn.Flatten(), nn.Linear(7 * 7 * 64, 1024), nn.ELU()]
    drop = nn.Dropout(1 - getattr(task.keep_prob, role))
    return nn.Sequential(*layers, *hidden, drop, nn.Linear(1024, outputs))
