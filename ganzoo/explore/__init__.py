"""`ganzoo explore`: a web page to play with trained models."""

from ganzoo.explore.asgi import application as application
from ganzoo.explore.explorer import Explorer as Explorer
from ganzoo.explore.models import Entry as Entry
from ganzoo.explore.points import METHODS as METHODS
from ganzoo.explore.points import SLIDERS as SLIDERS
from ganzoo.explore.points import Point as Point
from ganzoo.explore.server import launch as launch
from ganzoo.explore.uploads import FORMATS as FORMATS
from ganzoo.explore.uploads import MOST_BYTES as MOST_BYTES
from ganzoo.explore.uploads import MOST_PIXELS as MOST_PIXELS
from ganzoo.explore.uploads import read_picture as read_picture
