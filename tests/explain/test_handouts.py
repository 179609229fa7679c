"""Hand-outs: Markdown, LaTeX and HTML that hold whatever names there are, and LaTeX that compiles."""

import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.explain import handouts
from glassnet.explain.overviews import overview

NASTY = 'a_b & 50% #{x} ~^\\ <i>"q"</i> $5 | `c` [d] *e*'


@pytest.fixture
def trace() -> gn.Trace:
    schema = gn.Schema(features=(NASTY, "plain"), classes=(NASTY, "no"))
    layers = [([[0.5, -2.0]], [0.5], "elu"), ([[1e6], [-2e-7]], [0.5, 0], "softmax")]
    return gn.Network.from_layers(layers, schema).trace([0.3, 1.25])


def test_markdown(trace: gn.Trace) -> None:
    assert (
        handouts.neuron_markdown(trace.neuron(0, 0), top=1)
        == r"""
**neuron 0:0, elu, 2 inputs**

| what | input x weight | value |
|:--|--:|--:|
| plain | 1.25 x -2 | -2.50 |
| 1 more products |  | 0.15 |
| **weighted sum** |  | **-2.35** |
| + bias |  | 0.50 |
| **pre-activation z** |  | **-1.85** |
| **elu = z above 0, exp(z) - 1 below** |  | **-0.8427628** |""".lstrip()
    )
    table = handouts.neuron_markdown(trace.neuron(0, 0))
    assert r"| a\_b \& 50% \#\{x\} \~^\\ \<i\>" in table
    assert "| **neuron" not in handouts.overview_markdown(overview(trace, name=NASTY))


def test_latex(trace: gn.Trace) -> None:
    assert (
        handouts.neuron_latex(trace.neuron(0, 0), top=1)
        == r"""
\noindent\textbf{neuron 0:0, elu, 2 inputs}
\[
\renewcommand{\arraystretch}{1.15}
\begin{array}{l@{\quad}r@{}c@{}l@{\qquad}r@{}l}
\text{plain} & 1.25 & {} \times {} & (-2) & -2 & .50 \\
\multicolumn{4}{l@{\qquad}}{\text{1 more products}} & 0 & .15 \\
\hline
\multicolumn{4}{l@{\qquad}}{\text{weighted sum}} & -2 & .35 \\
\multicolumn{4}{l@{\qquad}}{\text{+ bias}} & 0 & .50 \\
\hline
\multicolumn{4}{l@{\qquad}}{\text{pre-activation z}} & -1 & .85 \\
\multicolumn{4}{l@{\qquad}}{\text{elu} = \begin{cases} z & z > 0 \\ e^{z} - 1 & \text{else} \end{cases}} & -0 & .8427628 \\
\end{array}
\]""".lstrip()  # noqa: E501
    )


def test_every_squish_has_a_formula_in_latex() -> None:
    assert set(handouts._FORMULAS) == set(ACTIVATIONS)


def test_latex_compiles_with_amsmath_alone(trace: gn.Trace, tmp_path: Path) -> None:
    parts = [handouts.overview_latex(overview(trace, name=NASTY))]
    parts += [handouts.neuron_latex(trace.neuron(layer, 0)) for layer in (0, 1)]
    for name in ACTIVATIONS:
        network = gn.Network.from_layers([([[1.0, -2.0]], [-1e-9], name)])
        parts.append(handouts.neuron_latex(network.trace([12345.678, -1e-7]).neuron(0, 0)))
    body = "\n\n".join(parts)
    page = f"\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "page.tex").write_text(page)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "-draftmode", "page.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:]


class Reader(HTMLParser):
    """What a browser would see: its text, and which tags there are; all of them closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"style"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_html_is_whole_and_shows_names_as_they_are(trace: gn.Trace) -> None:
    read = Reader(handouts.neuron_html(trace.neuron(0, 0)))
    assert read.open == []
    assert read.tags == {"table", "caption", "tbody", "tr", "td"}
    assert NASTY in read.words
    assert "-0.8427628" in read.words
    screen = Reader(handouts.overview_html(overview(trace, name=NASTY)))
    assert screen.open == []
    assert screen.tags == {"div", "p", "table", "caption", "tbody", "tr", "td", "ul", "li"}
    assert any(NASTY in words for words in screen.words)


def test_a_name_of_several_lines_stays_in_its_cell() -> None:
    assert handouts.markdown_text("a\nb") == "a b"
    assert handouts.latex_text("a\n\nb") == "a b"
