"""Extractors: from images to the features that metrics compare.

An extractor is anything with the attributes `name`, `hash` (text, or None if it is not known),
`resize` and `classes` that can be called with images and returns a dict of rows: `"features"`
`(n, d)` float32 and, optionally, `"logits"` `(n, classes)` float32 and `"modes"` `(n,)` whole
numbers. `extractor(function)` makes one of any function from images to features.
"""

from ganzoo.extractors.base import BATCH as BATCH
from ganzoo.extractors.base import Extractor as Extractor
from ganzoo.extractors.base import Function as Function
from ganzoo.extractors.base import Pixels as Pixels
from ganzoo.extractors.base import fingerprint as fingerprint
from ganzoo.extractors.base import name_of as name_of
from ganzoo.extractors.base import resized as resized
from ganzoo.extractors.classifier import WEIGHTS as WEIGHTS
from ganzoo.extractors.classifier import Classifier as Classifier
from ganzoo.extractors.classifier import SoundClassifier as SoundClassifier
from ganzoo.extractors.classifier import Stacked as Stacked
from ganzoo.extractors.classifier import classifier as classifier
from ganzoo.extractors.classifier import shipped as shipped
from ganzoo.extractors.log_mel import LogMel as LogMel
from ganzoo.extractors.lookup import extractor as extractor
from ganzoo.extractors.points import Points as Points
from ganzoo.extractors.points import modes_of as modes_of
