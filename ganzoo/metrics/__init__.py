"""Metrics: pure functions on arrays, and Keras-style streaming metrics over them.

A metric takes rows: features or logits that an extractor computed from images, mode numbers, or
pixels. `ganzoo.evaluate` combines models, data, extractors and metrics.

>>> import numpy as np
>>> from ganzoo import metrics
>>> rng = np.random.default_rng(0)
>>> metric = metrics.PrecisionRecall()
>>> metric.update_state(real=rng.normal(size=(300, 8)), fake=rng.normal(size=(300, 8)))
>>> sorted(metric.result())
['precision', 'recall']
"""

from ganzoo.extractors import extractor as extractor
from ganzoo.extractors.points import modes_of as modes_of
from ganzoo.metrics.base import Metric as Metric
from ganzoo.metrics.classes import ClassAgreement as ClassAgreement
from ganzoo.metrics.classes import ClassScore as ClassScore
from ganzoo.metrics.classes import Diversity as Diversity
from ganzoo.metrics.classes import ModeCoverage as ModeCoverage
from ganzoo.metrics.classes import class_score as class_score
from ganzoo.metrics.distances import FrechetDistance as FrechetDistance
from ganzoo.metrics.distances import IntraClassFrechet as IntraClassFrechet
from ganzoo.metrics.distances import KernelDistance as KernelDistance
from ganzoo.metrics.distances import frechet_distance as frechet_distance
from ganzoo.metrics.distances import kernel_distance as kernel_distance
from ganzoo.metrics.manifold import DensityCoverage as DensityCoverage
from ganzoo.metrics.manifold import PrecisionRecall as PrecisionRecall
from ganzoo.metrics.manifold import density_coverage as density_coverage
from ganzoo.metrics.manifold import nearest as nearest
from ganzoo.metrics.manifold import precision_recall as precision_recall
from ganzoo.metrics.memorisation import Memorisation as Memorisation
from ganzoo.metrics.memorisation import memorisation as memorisation
from ganzoo.metrics.pairs import efficientnet_distance as efficientnet_distance
from ganzoo.metrics.pairs import psnr as psnr
from ganzoo.metrics.pairs import ssim as ssim
