"""The catalogue: one paper, one file, one line here. The names are the registry's."""

from ganzoo.models.aae import AAE as AAE
from ganzoo.models.acgan import ACGAN as ACGAN
from ganzoo.models.autoencoder import Autoencoder as Autoencoder
from ganzoo.models.bigan import BiGAN as BiGAN
from ganzoo.models.cgan import CGAN as CGAN
from ganzoo.models.cogan import CoGAN as CoGAN
from ganzoo.models.cyclegan import CycleGAN as CycleGAN
from ganzoo.models.dcgan import DCGAN as DCGAN
from ganzoo.models.dragan import DRAGAN as DRAGAN
from ganzoo.models.fastgan import FastGAN as FastGAN
from ganzoo.models.improved_gan import ImprovedGAN as ImprovedGAN
from ganzoo.models.infogan import InfoGAN as InfoGAN
from ganzoo.models.lsgan import LSGAN as LSGAN
from ganzoo.models.pix2pix import Pix2Pix as Pix2Pix
from ganzoo.models.progan import ProGAN as ProGAN
from ganzoo.models.projected_gan import ProjectedGAN as ProjectedGAN
from ganzoo.models.r3gan import R3GAN as R3GAN
from ganzoo.models.sagan import SAGAN as SAGAN
from ganzoo.models.sngan import SNGAN as SNGAN
from ganzoo.models.srgan import SRGAN as SRGAN
from ganzoo.models.stylegan2 import StyleGAN2 as StyleGAN2
from ganzoo.models.vae import VAE as VAE
from ganzoo.models.vae_gan import VAEGAN as VAEGAN
from ganzoo.models.vanilla import VanillaGAN as VanillaGAN
from ganzoo.models.wgan import WGAN as WGAN
from ganzoo.models.wgan_gp import WGANGP as WGANGP
