"""Walks through the latents of a model: what lies between, along and next to its samples."""

from ganzoo.latent.principal import Directions as Directions
from ganzoo.latent.principal import directions as directions
from ganzoo.latent.sphere import slerp as slerp
from ganzoo.latent.walks import Walk as Walk
from ganzoo.latent.walks import along as along
from ganzoo.latent.walks import arithmetic as arithmetic
from ganzoo.latent.walks import interpolate as interpolate
from ganzoo.latent.walks import traverse as traverse
