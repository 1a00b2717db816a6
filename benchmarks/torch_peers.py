"""The competitors in PyTorch: the same networks, and the same alternating steps."""

import contextlib
import dataclasses
import functools
import itertools
import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ganzoo import backend
from ganzoo.networks import dcgan as dcgan_sizes
from ganzoo.networks import patch
from ganzoo.networks import r3gan as r3gan_sizes
from ganzoo.networks import unet


@dataclasses.dataclass(frozen=True)
class Setting:
    """How PyTorch runs: its layout of images, automatic bfloat16, `torch.compile`."""

    channels_last: bool = True
    autocast: bool = False
    compiled: bool = False


SETTINGS = {
    ("PyTorch", "float32"): Setting(channels_last=False),
    ("PyTorch, channels last", "float32"): Setting(),
    ("PyTorch, channels last, compiled", "float32"): Setting(compiled=True),
    ("PyTorch, channels last", "mixed_bfloat16"): Setting(autocast=True),
    ("PyTorch, channels last, compiled", "mixed_bfloat16"): Setting(autocast=True, compiled=True),
}
"""Settings by name and precision."""


# Networks ---------------------------------------------------------------------------------------


def dcgan(model):
    """`(generator, discriminator)` of a `dcgan` of ganzoo; the others likewise."""
    height, width, depth = model.image_shape
    stages = len(dcgan_sizes.sizes(height, width)) - 1
    small = height // 2**stages
    widths = [model.channels * 2**i for i in range(stages)]
    norm = lambda n: nn.BatchNorm2d(n, eps=1e-2, momentum=0.1)
    up = [
        nn.Linear(model.latent_dim, small * small * widths[-1], bias=False),
        nn.Unflatten(1, (widths[-1], small, small)),
        norm(widths[-1]),
        nn.ReLU(),
    ]
    for i in reversed(range(stages)):
        last = i == 0
        out = depth if last else widths[i - 1]
        up.append(nn.ConvTranspose2d(widths[i], out, 4, 2, 1, bias=last))
        up += [nn.Tanh()] if last else [norm(out), nn.ReLU()]
    down = []
    for i in range(stages):
        down.append(nn.Conv2d(depth if i == 0 else widths[i - 1], widths[i], 4, 2, 1, bias=i == 0))
        down += ([norm(widths[i])] if i else []) + [nn.LeakyReLU(0.2)]
    down += [nn.Flatten(), nn.Linear(small * small * widths[-1], 1)]
    return nn.Sequential(*up).apply(_small_weights), nn.Sequential(*down).apply(_small_weights)


def _small_weights(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, (nn.BatchNorm2d, nn.InstanceNorm2d)):
        nn.init.normal_(module.weight, 1.0, 0.02)


def vanilla(model):
    """As `dcgan`, for a `vanilla`."""
    shape = model.image_shape
    up, before = [], model.latent_dim
    for units in model.generator_units:
        up += [nn.Linear(before, units), nn.ReLU()]
        before = units
    up += [nn.Linear(before, math.prod(shape)), nn.Tanh()]
    up.append(nn.Unflatten(1, (shape[-1], *shape[:-1])))
    down, before = [nn.Flatten(), nn.Dropout(model.dropout[0])], math.prod(shape)
    for units in model.discriminator_units:
        down += [_Maxout(before, units, model.pieces), nn.Dropout(model.dropout[1])]
        before = units
    down.append(nn.Linear(before, 1))
    return nn.Sequential(*up), nn.Sequential(*down)


class _Maxout(nn.Module):
    def __init__(self, before, units, pieces):
        super().__init__()
        self.maps = nn.Linear(before, units * pieces)
        self.split = nn.Unflatten(1, (units, pieces))

    def forward(self, x):
        return self.split(self.maps(x)).max(-1).values


def r3gan(model):
    """As `dcgan`, for a residual `r3gan`."""
    height, width, depth = model.image_shape
    sizes = dcgan_sizes.sizes(height, width)
    widths = r3gan_sizes.widths(len(sizes), model.channels)
    blocks = lambda narrow: [_Block(model, narrow) for _ in range(model.blocks)]
    change = lambda a, b: [] if a == b else [nn.Conv2d(a, b, 1, bias=False)]
    small = sizes[-1]
    up = [nn.Linear(model.latent_dim, widths[0], bias=False), _Spread(widths[0], *small)]
    down = [nn.Conv2d(depth, widths[-1], 1, bias=False), *blocks(widths[-1])]
    up += blocks(widths[0])
    for wide, narrow in itertools.pairwise(widths):
        up += [*change(wide, narrow), nn.Upsample(scale_factor=2), *blocks(narrow)]
    for narrow, wide in itertools.pairwise(widths[::-1]):
        down += [nn.AvgPool2d(2), *change(narrow, wide), *blocks(wide)]
    up.append(nn.Conv2d(widths[-1], depth, 1, bias=False))
    down.append(_Gather(widths[0], *small, (small[0] * small[1]) ** -0.5))
    down.append(nn.Linear(widths[0], 1, bias=False))
    return nn.Sequential(*up), nn.Sequential(*down)


class _Block(nn.Module):
    def __init__(self, model, narrow):
        super().__init__()
        wide = model.expansion * narrow
        groups = r3gan_sizes._groups(wide, model.group_width)
        self.inner = nn.Sequential(
            nn.Conv2d(narrow, wide, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(wide, wide, 3, padding=1, groups=groups),
            nn.LeakyReLU(0.2),
            nn.Conv2d(wide, narrow, 1, bias=False),
        )
        nn.init.zeros_(self.inner[-1].weight)

    def forward(self, x):
        return x + self.inner(x)


class _Spread(nn.Module):
    def __init__(self, channels, height, width, deviation=1.0):
        super().__init__()
        self.basis = nn.Parameter(deviation * torch.randn(1, channels, height, width))

    def forward(self, x):
        return x[:, :, None, None] * self.basis


class _Gather(_Spread):
    def forward(self, x):
        return (x * self.basis).sum((2, 3))


def pix2pix(model):
    """As `dcgan`, for a `pix2pix`."""
    return _UNet(model).apply(_small_weights), _patches(model).apply(_small_weights)


class _UNet(nn.Module):
    def __init__(self, model):
        super().__init__()
        height, width, depth = model.image_shape
        count = unet.halvings(height, width)
        wide = [model.channels * min(2**i, 8) for i in range(count)]
        norm = lambda n: nn.InstanceNorm2d(n, affine=True)
        self.down = nn.ModuleList([nn.Conv2d(depth, wide[0], 4, 2, 1, bias=False)])
        self.up = nn.ModuleList()
        for i in range(1, count):
            down = [nn.LeakyReLU(0.2), nn.Conv2d(wide[i - 1], wide[i], 4, 2, 1, bias=False)]
            down += [norm(wide[i])] if i < count - 1 else []
            self.down.append(nn.Sequential(*down))
        for i in reversed(range(1, count)):
            before = wide[i] * (1 if i == count - 1 else 2)
            up = [nn.ReLU(), nn.ConvTranspose2d(before, wide[i - 1], 4, 2, 1, bias=False)]
            up.append(norm(wide[i - 1]))
            up += [nn.Dropout(model.dropout)] if count - 1 - i < max(1, count - 5) else []
            self.up.append(nn.Sequential(*up))
        self.last = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose2d(2 * wide[0], depth, 4, 2, 1), nn.Tanh()
        )

    def forward(self, x):
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
        for up, skip in zip(self.up, reversed(skips[:-1])):
            x = torch.cat([up(x), skip], 1)
        return self.last(x)


def _patches(model):
    height, width, depth = model.image_shape
    count = model.patch_layers or patch.patch_layers(height, width)
    # Four pixels with a stride of 1: one more of padding below and on the right, as Keras does.
    same = nn.ZeroPad2d((1, 2, 1, 2))
    layers, before = [], 2 * depth
    for i in range(count + 1):
        wide = model.channels * min(2**i, 8)
        if i < count:
            layers.append(nn.Conv2d(before, wide, 4, 2, 1, bias=i == 0))
        else:
            layers += [same, nn.Conv2d(before, wide, 4, bias=i == 0)]
        layers += [nn.InstanceNorm2d(wide, affine=True)] if i else []
        layers.append(nn.LeakyReLU(0.2))
        before = wide
    return nn.Sequential(*layers, same, nn.Conv2d(before, 1, 4))


# Steps ------------------------------------------------------------------------------------------


class Players:
    """Two networks with their optimizers.

    Under autocast the networks compute in bfloat16; images, logits and losses are float32.
    """

    def __init__(self, model, networks, setting, device):
        self.model, self.device = model, device
        self.generator, self.discriminator = networks
        layout = torch.channels_last if setting.channels_last else torch.contiguous_format
        self.optimizers = {}
        rates = model.learning_rate, model.discriminator_learning_rate or model.learning_rate
        for network, rate in zip(networks, rates):
            network.to(device=device, memory_format=layout)
            self.optimizers[network] = torch.optim.Adam(
                network.parameters(),
                lr=rate,
                betas=(model.beta_1, model.beta_2),
                eps=model.epsilon,
            )

        def run(network, x):
            with torch.autocast(device, torch.bfloat16, enabled=setting.autocast):
                return network(x).float()

        self.make = lambda x: run(self.generator, x)
        self.judge = lambda x: run(self.discriminator, x)
        if setting.compiled:
            # Several networks share this code; past the limit they would run uncompiled.
            torch._dynamo.config.recompile_limit = 64
            self.make, self.judge = torch.compile(self.make), torch.compile(self.judge)

    def fakes(self, count):
        """Images from new latents, for both players' moves."""
        return self.make(torch.randn(count, self.model.latent_dim, device=self.device))

    def move(self, network, loss):
        """One step of a network's optimizer."""
        self.optimizers[network].zero_grad(set_to_none=True)
        loss.backward()
        self.optimizers[network].step()

    @contextlib.contextmanager
    def answering(self):
        """The generator's turn, which needs no gradient of the discriminator's weights."""
        self.discriminator.requires_grad_(False)
        yield
        self.discriminator.requires_grad_(True)


def _log_loss(logits, real):
    wanted = torch.ones_like(logits) if real else torch.zeros_like(logits)
    return functional.binary_cross_entropy_with_logits(logits, wanted)


def dcgan_step(players, real):
    """Both players move, on a batch of images; returns the discriminator's loss."""
    fake = players.fakes(len(real))
    d_loss = _log_loss(players.judge(real), True) + _log_loss(players.judge(fake.detach()), False)
    players.move(players.discriminator, d_loss)
    with players.answering():
        players.move(players.generator, _log_loss(players.judge(fake), True))
    return d_loss


def r3gan_step(players, real):
    """As `dcgan_step`, relativistic, with R1 and R2.

    Under autocast the penalties are as in the code of R3GAN's authors and of StyleGAN2-ADA: the
    gradient to the images goes back through the forward pass in half precision that the loss uses
    too, and is squared in float32.
    """

    def with_penalty(images):
        images = images.detach().requires_grad_()
        logits = players.judge(images)
        (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        return logits, players.model.gamma / 2 * gradient.square().sum((1, 2, 3)).mean()

    fake = players.fakes(len(real))
    real_logits, r1 = with_penalty(real)
    fake_logits, r2 = with_penalty(fake)
    d_loss = functional.softplus(fake_logits - real_logits).mean() + r1 + r2
    players.move(players.discriminator, d_loss)
    with players.answering():
        with torch.no_grad():
            real_logits = players.judge(real)
        g_loss = functional.softplus(real_logits - players.judge(fake)).mean()
        players.move(players.generator, g_loss)
    return d_loss


def pix2pix_step(players, images, targets):
    """As `dcgan_step`, on images and their targets."""
    look = lambda other: players.judge(torch.cat([images, other], 1))
    fake = players.make(images)
    d_loss = _log_loss(look(targets), True) + _log_loss(look(fake.detach()), False)
    players.move(players.discriminator, d_loss)
    with players.answering():
        distance = players.model.distance_weight * functional.l1_loss(fake, targets)
        players.move(players.generator, _log_loss(look(fake), True) + distance)
    return d_loss


GAMES = {
    "dcgan": (dcgan, dcgan_step),
    "vanilla": (vanilla, dcgan_step),
    "r3gan": (r3gan, r3gan_step),
    "pix2pix": (pix2pix, pix2pix_step),
}
"""Networks and step, by model."""


def makers(model, arrays, batch):
    """The contenders of a model, each yet to be made.

    Args:
        model: ganzoo's, built, one of `GAMES`; its settings are the peers' too.
        arrays: tuple of uint8 arrays, `(n, height, width, channels)`.
        batch: batch size.

    Returns:
        `{(name, precision): () -> contender}`; a contender is `steps -> seconds`.
    """
    torch.set_num_threads(backend.cores())
    torch.backends.cuda.matmul.allow_tf32 = True  # as the others do
    device = "cuda" if torch.cuda.is_available() else "cpu"

    @functools.cache  # the contenders share the images of each layout
    def ready(layout):
        tensors = (torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))) for x in arrays)
        return [
            (x.to(device).float() / 127.5 - 1).contiguous(memory_format=layout) for x in tensors
        ]

    def make(setting):
        networks, step = GAMES[model.registry_name]
        players = Players(model, networks(model), setting, device)
        data = ready(torch.channels_last if setting.channels_last else torch.contiguous_format)

        def run(steps):
            start = time.perf_counter()
            for i in range(steps):
                first = i * batch % (len(data[0]) - batch + 1)
                loss = step(players, *(x[first : first + batch] for x in data))
            float(loss.detach())
            return time.perf_counter() - start

        return run

    return {key: functools.partial(make, setting) for key, setting in SETTINGS.items()}
