"""`ganzoo explore`: a web page to play with trained models."""

from ganzoo.explore.explorer import METHODS as METHODS
from ganzoo.explore.explorer import MOST_BYTES as MOST_BYTES
from ganzoo.explore.explorer import MOST_PIXELS as MOST_PIXELS
from ganzoo.explore.explorer import SLIDERS as SLIDERS
from ganzoo.explore.explorer import Entry as Entry
from ganzoo.explore.explorer import Explorer as Explorer
from ganzoo.explore.explorer import read_picture as read_picture
from ganzoo.explore.page import page as page
from ganzoo.explore.server import launch as launch
