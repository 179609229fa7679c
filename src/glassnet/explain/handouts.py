"""A worked neuron and an overview for a hand-out: Markdown, LaTeX, HTML.

The rows of a worked neuron are those of `NeuronTrace.rows`, so whatever the form the figures are the same, and add up
as they stand. Names come from data files: each form escapes them. LaTeX needs amsmath and nothing more; HTML is a
fragment with its styles within, in the colours of the page around it. Imports `drawing` and `screen` of `explain`.
"""

import re
from html import escape

from glassnet.arithmetic import Product, Row
from glassnet.explain.overviews import LayerView, Overview
from glassnet.neuron import NeuronTrace
from glassnet.render.text_pictures import figures as figure_column

# Markdown: tables as GitHub, Jupyter and pandoc read them


def neuron_markdown(neuron: NeuronTrace, top: int = 12) -> str:
    """The worked neuron as a table under a heading."""
    lines = [f"**{markdown_text(neuron.name)}**", "", "| what | input x weight | value |", "|:--|--:|--:|"]
    for row in neuron.rows(top):
        if isinstance(row.what, Product):
            cells = (markdown_text(row.what.name), f"{row.what.input} x {row.what.weight}", row.figure)
        elif row.kind in ("total", "result"):
            cells = (f"**{markdown_text(row.what)}**", "", f"**{row.figure}**")
        else:
            cells = (markdown_text(row.what), "", row.figure)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def overview_markdown(view: Overview) -> str:
    """The overview as tables and sentences: the outputs, then each hidden layer's strongest neurons."""
    lines = [f"**{markdown_text(_heading(view))}**"]
    for layer in reversed(view.layers):
        lines += ["", markdown_text(_title(view, layer)), "", "| neuron | activation |", "|:--|--:|"]
        lines += [f"| {markdown_text(name)} | {figure} |" for name, figure in _shown(layer)]
    return "\n".join([*lines, "", *(f"- {markdown_text(sentence)}" for sentence in view.words)])


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", " ".join(text.split()))


# LaTeX: amsmath

_FORMULAS = {
    "identity": r"z",
    "sigmoid": r"\frac{1}{1 + e^{-z}}",
    "tanh": r"\tanh z",
    "relu": r"\max(0, z)",
    "leaky_relu": r"\max(z, 0.01\,z)",
    "elu": r"\begin{cases} z & z > 0 \\ e^{z} - 1 & \text{else} \end{cases}",
    "selu": r"1.0507 \begin{cases} z & z > 0 \\ 1.6733\,(e^{z} - 1) & \text{else} \end{cases}",
    "softplus": r"\log(1 + e^{z})",
    "gelu": r"z\,\Phi(z)",
    "gelu_tanh": r"\tfrac{z}{2}\bigl(1 + \tanh(0.7979\,(z + 0.044715\,z^{3}))\bigr)",
    "silu": r"\frac{z}{1 + e^{-z}}",
    "mish": r"z \tanh(\log(1 + e^{z}))",
    "hard_sigmoid": r"\min(1, \max(0, z/6 + 1/2))",
    "step": r"\begin{cases} 1 & z > 0 \\ 0 & \text{else} \end{cases}",
    "softmax": r"\frac{e^{z}}{\sum e^{z}}",
}
"""Each squish as it is set in LaTeX."""


def neuron_latex(neuron: NeuronTrace, top: int = 12) -> str:
    """The worked neuron as a column of numbers to be added, an `aligned` in display mathematics."""
    rows = neuron.rows(top)
    decimals = len(rows[0].figure.partition(".")[2])
    lines = []
    for row in rows:
        last = r"\hline" + "\n" if row.kind == "total" else ""
        lines.append(f"{last}{_latex_what(row, neuron.activation_name)} & {_latex_figure(row, decimals)} \\\\")
    body = "\n".join(lines)
    return (
        f"\\noindent\\textbf{{{latex_text(neuron.name)}}}\n\\[\n\\renewcommand{{\\arraystretch}}{{1.15}}\n"
        f"\\begin{{array}}{{l@{{\\quad}}r@{{}}c@{{}}l@{{\\qquad}}r@{{}}l}}\n{body}\n\\end{{array}}\n\\]"
    )


def _latex_what(row: Row, activation_name: str) -> str:
    if isinstance(row.what, Product):
        value, weight = (_latex_number(part) for part in row.what[1:])
        weight = f"({weight})" if weight.startswith("-") else weight
        return f"\\text{{{latex_text(row.what.name)}}} & {value} & {{}} \\times {{}} & {weight}"
    if row.kind == "result":
        what = f"\\text{{{latex_text(activation_name)}}} = {_FORMULAS[activation_name]}"
    else:
        what = f"\\text{{{latex_text(row.what)}}}"
    return f"\\multicolumn{{4}}{{l@{{\\qquad}}}}{{{what}}}"


def _latex_figure(row: Row, decimals: int) -> str:
    """A figure in two cells, so that the points stand under one another."""
    whole, point, part = row.figure.partition(".")
    if "e" in row.figure:
        return f"{_latex_number(row.figure)} &"
    return f"{whole.replace(',', '{,}')} & {point}{part}"


def _latex_number(figure: str) -> str:
    mantissa, e, exponent = figure.partition("e")
    return mantissa.replace(",", "{,}") + (f"\\cdot 10^{{{int(exponent)}}}" if e else "")


def overview_latex(view: Overview) -> str:
    """The overview as tabulars and sentences."""
    lines = [f"\\noindent\\textbf{{{latex_text(_heading(view))}}}"]
    for layer in reversed(view.layers):
        lines += ["", f"\\medskip\\noindent {latex_text(_title(view, layer))}", "", "\\smallskip\\noindent"]
        lines += ["\\begin{tabular}{lr}"]
        lines += [f"{latex_text(name)} & ${_latex_number(figure)}$ \\\\" for name, figure in _shown(layer)]
        lines += ["\\end{tabular}"]
    lines += ["", "\\begin{itemize}", *(f"\\item {latex_text(sentence)}" for sentence in view.words), "\\end{itemize}"]
    return "\n".join(lines)


_LATEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def latex_text(text: str) -> str:
    """Text that LaTeX sets as it is."""
    return "".join(_LATEX.get(c, c) for c in " ".join(text.split()))


# HTML: fragments, to be put into any page

_TABLE = (
    "border-collapse:collapse;font:14px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums;color:inherit;"
    "background:transparent;margin:.3em 0"
)
_CELL = "border:0;color:inherit;background:transparent"
_LEFT = f"text-align:left;padding:.1em 1.2em .1em 0;{_CELL}"
_RIGHT = f"text-align:right;padding:.1em 0 .1em 1.2em;white-space:nowrap;{_CELL}"
_CAPTION = "text-align:left;font-weight:600;padding-bottom:.3em;color:inherit"
_STRONG = ";font-weight:600"
_RULE = ";border-top:1px solid currentColor;font-weight:600"


def neuron_html(neuron: NeuronTrace, top: int = 12) -> str:
    """The worked neuron as a table, with everything it needs within."""
    body = []
    for row in neuron.rows(top):
        name, factors = row.what, ""
        if isinstance(row.what, Product):
            name, factors = row.what.name, f"{row.what.input} \N{MULTIPLICATION SIGN} {row.what.weight}"
        style = {"total": _RULE, "result": _STRONG}.get(row.kind, "")
        body.append(_html_row([str(name), factors, row.figure], style))
    return _html_table(neuron.name, body)


def overview_html(view: Overview) -> str:
    """The overview as tables with bars and sentences, with everything they need within."""
    parts = [f'<p style="font:600 15px/1.4 system-ui,sans-serif">{escape(_heading(view))}</p>']
    for layer in reversed(view.layers):
        largest = max(abs(s.activation) for s in layer.strongest) or 1.0
        body = []
        for s, (name, figure) in zip(layer.strongest, _shown(layer), strict=True):
            size = f"height:.7em;width:{100 * abs(s.activation) / largest:.1f}%"
            look = "background:currentColor" if s.activation >= 0 else "border:1px solid currentColor"
            bar = f'<td style="{_LEFT};width:12em"><div style="{size};{look}"></div></td>'
            body.append(_html_row([name, figure]).replace("</tr>", f"{bar}</tr>"))
        parts.append(_html_table(_title(view, layer), body))
    words = "".join(f"<li>{escape(sentence)}</li>" for sentence in view.words)
    return f'<div>{"".join(parts)}<ul style="font:14px/1.45 system-ui,sans-serif">{words}</ul></div>'


def _html_row(cells: list[str], style: str = "") -> str:
    """A row of a table: the first cell is text, the others are figures."""
    styles = [_LEFT, *[_RIGHT] * (len(cells) - 1)]
    inner = (f'<td style="{at}{style}">{escape(text)}</td>' for at, text in zip(styles, cells, strict=True))
    return f"<tr>{''.join(inner)}</tr>"


def _html_table(caption: str, rows: list[str]) -> str:
    return (
        f'<table style="{_TABLE}"><caption style="{_CAPTION}">{escape(caption)}</caption>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


# What overviews share


def _heading(view: Overview) -> str:
    return f"{view.name}: {view.says}" if view.name else view.says


def _title(view: Overview, layer: LayerView) -> str:
    kind = "outputs" if layer is view.layers[-1] else f"{layer.active:,} of {layer.neurons:,} active"
    return f"layer {layer.layer}, {layer.activation_name}: {kind}"


def _shown(layer: LayerView) -> list[tuple[str, str]]:
    """Each of the strongest neurons by name, and its activation as it is shown."""
    figures = figure_column([s.activation for s in layer.strongest])
    return [(s.name, figure.strip()) for s, figure in zip(layer.strongest, figures, strict=True)]
