"""Data sets: names, folders, archives, files and arrays, all as batches of `uint8` images."""

from ganzoo.datasets.finding import BUILT_IN as BUILT_IN
from ganzoo.datasets.finding import CACHE_BYTES as CACHE_BYTES
from ganzoo.datasets.loading import load as load
from ganzoo.datasets.loading import load_pair as load_pair
from ganzoo.datasets.semi_supervised import semi_supervised as semi_supervised
from ganzoo.datasets.toys import MIXTURES as MIXTURES
