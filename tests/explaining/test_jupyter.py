"""The notebook in Jupyter itself, and converted by nbconvert."""

import re

import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from helpers.explained import BESIDE, adam_in_the_middle_of_a_run, large, tutorial

DOCUMENTS = {
    "tutorial": lambda: tutorial().to_notebook(),
    "tutorial in Chinese": lambda: tutorial().to_notebook(language="zh"),
    "adam": lambda: adam_in_the_middle_of_a_run().to_notebook(),
    "large": lambda: large().to_notebook(detail="neurons"),
    "softmax": lambda: BESIDE.to_notebook(),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.filterwarnings("default")  # of Jupyter's own modules
def test_jupyter_runs_it(name):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = nbformat.reads(DOCUMENTS[name](), as_version=4)
    nbformat.validate(book)
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    printed = "".join(
        output.get("text", "")
        for cell in book.cells
        for output in cell.get("outputs", [])
    )  # fmt: skip
    assert printed.count("个数核对无误" if "Chinese" in name else "numbers hold.") >= 4


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_nbconvert_shows_its_pictures(rng):
    nbformat, nbconvert = pytest.importorskip("nbformat"), pytest.importorskip("nbconvert")
    network = dp.Network([6, 2])
    names = Names(image=(2, 3))
    e = dp.explain(network, network.init(rng), rng.random((1, 6)), [0], names=names)
    book = nbformat.reads(e.to_notebook(), as_version=4)
    body, _ = nbconvert.HTMLExporter().from_notebook_node(book)
    assert len(re.findall(r'<img[^>]*src="data:image/png;base64,', body)) == 2
