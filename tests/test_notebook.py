"""The notebook runs, from top to bottom in a clean kernel, and says what its text says."""

import re
import time
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "story.ipynb"


def test_it_is_kept_without_outputs() -> None:
    """So that a change is a change of what somebody wrote; a run shows the rest."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert NOTEBOOK.stat().st_size < 300_000


@pytest.mark.filterwarnings("ignore::DeprecationWarning:zmq", "ignore::DeprecationWarning:jupyter_client")
def test_it_runs_in_a_clean_kernel(tmp_path: Path) -> None:
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    started = time.monotonic()
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute()
    assert time.monotonic() - started < 60

    shown = [
        (cell.source, output)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type != "execute_result" or output.data
    ]
    assert not [output for _, output in shown if output.get("name") == "stderr"]
    text = "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for _, output in shown)
    pictures = [source for source, output in shown if "image/png" in output.get("data", {})]
    assert len(pictures) == 8
    assert all(source.splitlines()[-1].startswith("plots.") for source in pictures)
    assert sum("text/html" in output.get("data", {}) for _, output in shown) >= 5

    trained = re.search(r"as trained +([\d.]+)%", text)
    scrambled = re.search(r"scrambled +([\d.]+)%", text)
    assert trained
    assert scrambled
    assert float(trained[1]) > 92
    assert float(scrambled[1]) < 30
    for change in ("predicted", "actual"):
        lower = re.search(rf"{change} change +(-[.\d]+)", text)
        assert lower, f"the {change} change of the loss should be below 0"
