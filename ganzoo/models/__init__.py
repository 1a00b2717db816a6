"""The catalogue: one paper, one file, one line here. The names are the registry's."""

from ganzoo.models import aae as aae
from ganzoo.models import acgan as acgan
from ganzoo.models import autoencoder as autoencoder
from ganzoo.models import bigan as bigan
from ganzoo.models import cgan as cgan
from ganzoo.models import cogan as cogan
from ganzoo.models import cyclegan as cyclegan
from ganzoo.models import dcgan as dcgan
from ganzoo.models import dragan as dragan
from ganzoo.models import improved_gan as improved_gan
from ganzoo.models import infogan as infogan
from ganzoo.models import lsgan as lsgan
from ganzoo.models import pix2pix as pix2pix
from ganzoo.models import progan as progan
from ganzoo.models import r3gan as r3gan
from ganzoo.models import sagan as sagan
from ganzoo.models import sngan as sngan
from ganzoo.models import stylegan2 as stylegan2
from ganzoo.models import vae as vae
from ganzoo.models import vae_gan as vae_gan
from ganzoo.models import vanilla as vanilla
from ganzoo.models import wgan as wgan
from ganzoo.models import wgan_gp as wgan_gp
