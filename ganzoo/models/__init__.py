"""The catalogue: one paper, one file, one line here. The names are the registry's."""

from ganzoo.models import cgan as cgan
from ganzoo.models import dcgan as dcgan
from ganzoo.models import vanilla as vanilla
