"""Data sets: names, folders, archives, files and arrays, all as batches of `uint8` images."""

from ganzoo.datasets.finding import BUILT_IN as BUILT_IN
from ganzoo.datasets.loading import load as load
from ganzoo.datasets.loading import load_pair as load_pair
from ganzoo.datasets.mirroring import Mirroring as Mirroring
from ganzoo.datasets.mirroring import mirrored as mirrored
from ganzoo.datasets.semi_supervised import semi_supervised as semi_supervised
from ganzoo.datasets.survey import NotImages as NotImages
from ganzoo.datasets.survey import Survey as Survey
from ganzoo.datasets.survey import survey as survey
from ganzoo.datasets.toys import MIXTURES as MIXTURES

CACHE_BYTES = 2**29
"""Data of at most this size is decoded once and kept in memory: 512 MiB."""
