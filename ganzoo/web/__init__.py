"""A trained model as a page that runs in a browser, without Python and without a network."""

from ganzoo.web import runtime as runtime
from ganzoo.web.writing import LARGEST as LARGEST
from ganzoo.web.writing import write as write
