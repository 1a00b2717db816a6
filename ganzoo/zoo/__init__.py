"""The zoo: from a name to a model, with or without trained weights."""

from ganzoo.zoo.lookup import describe as describe
from ganzoo.zoo.lookup import get as get
from ganzoo.zoo.lookup import list_models as list_models
from ganzoo.zoo.lookup import model_class as model_class
from ganzoo.zoo.lookup import own_models as own_models
from ganzoo.zoo.lookup import resume as resume
