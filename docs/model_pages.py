"""Models that run in the site: an extension of Sphinx, with `ganzoo.web`.

A comment before an image marks a place for the page of a model:

    <!-- model page: r3gan.mnist -->
    [![Images](images/weights/r3gan.mnist/grid.png)](weights.md)

Where npm is installed, the page stands in place of the image. Elsewhere, and in the repository, the
image stays, with its link. `-D model_pages=none` keeps the images, `-D model_pages=PATH` names
onnxruntime-web as `ganzoo export --runtime` does.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile

from sphinx.util import logging

PLACES = re.compile(r"<!-- model page: ([\w.]+) -->\n(\[!\[.*?\]\(.*?\)\]\(.*?\))")
FRAME = (
    '<iframe src="{up}pages/{name}/index.html" title="{name}" loading="lazy" style="width: 100%; '
    'height: 64rem; border: 1px solid #8884; border-radius: 14px"></iframe>\n\n'
    '<p><a href="{up}pages/{name}/index.html">Open {name} in a page of its own</a></p>'
)


def setup(app):
    app.add_config_value("model_pages", "auto", "html", str)
    app.connect("builder-inited", build)
    app.connect("source-read", place)
    return {"parallel_read_safe": True}


def build(app):
    """Write the pages of all models that the site names into it; those there stay."""
    app.model_pages = set()
    if app.builder.format != "html" or app.config.model_pages == "none":
        return
    texts = (path.read_text(encoding="utf-8") for path in pathlib.Path(app.srcdir).rglob("*.md"))
    names = {name for text in texts for name, _ in PLACES.findall(text)}
    log = logging.getLogger(__name__)
    with tempfile.TemporaryDirectory() as work:
        runtime = _runtime(app.config.model_pages, work)
        if runtime is None:
            log.info("models do not run in the site: npm is not installed, or has no network")
            return
        for name in sorted(names):
            try:
                _write(name, pathlib.Path(app.outdir) / "pages" / name, runtime)
            except ImportError as error:
                log.info("models do not run in the site: %s", error)
                return
            app.model_pages.add(name)


def _runtime(path, work):
    """The path of onnxruntime-web, or None if npm cannot get it."""
    from ganzoo import web

    if path != "auto":
        return path
    npm = shutil.which("npm")
    words = [npm, *web.runtime.PACK.split()[1:], "--silent", "--prefer-offline"]
    if npm is None or subprocess.run(words, cwd=work, capture_output=True).returncode != 0:
        return None
    return next(pathlib.Path(work).glob("*.tgz"))


def _write(name, folder, runtime):
    import ganzoo

    if not (folder / "index.html").exists():
        model, _, weights = name.partition(".")
        model = ganzoo.get(model, weights=weights, precision="float32")
        ganzoo.web.write(model, folder, name=name, runtime=runtime)


def place(app, docname, source):
    """Put the pages that there are in place of their images."""

    def shown(match):
        if match[1] not in app.model_pages:
            return match[0]
        return FRAME.format(name=match[1], up="../" * docname.count("/"))

    source[0] = PLACES.sub(shown, source[0])
