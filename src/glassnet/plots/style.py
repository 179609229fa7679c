"""Styles of the plots: colours, the scale for signs, plain axes.

Blue is positive and orange negative, on paper and on dark, which colour-blind readers tell apart as well; negative
lines are dashed, bars go to the other side and numbers carry their sign. Activation is one hue, from paper to ink.
Scales of colours are linear.
"""

import io
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text

from glassnet.errors import unknown_name
from glassnet.render.layout import NORMAL, SMALL

Canvas = Figure | SubFigure

LARGE = 11.0
"""Size of a title, in points."""

NOTEBOOK = 90
"""Points of the screen for each inch in a notebook; drawn twice as finely."""


@dataclass(frozen=True)
class Style:
    """Colours: `paper` is the background, `ink` for text and activation, `quiet` for labels, `line` for rules."""

    paper: str
    ink: str
    quiet: str
    line: str
    positive: str
    negative: str

    def sign(self, value: float) -> str:
        """Colour of a number's sign."""
        return self.negative if value < 0 else self.positive

    @property
    def inks(self) -> Colormap:
        """Colour map from paper to ink."""
        return LinearSegmentedColormap.from_list("inks", [self.paper, self.ink])

    @property
    def signs(self) -> Colormap:
        """Colour map from negative through paper to positive."""
        return LinearSegmentedColormap.from_list("signs", [self.negative, self.paper, self.positive])


STYLES = {
    "light": Style("#ffffff", "#16191d", "#6a7079", "#d5d8dc", "#1668b8", "#d2600a"),
    "dark": Style("#15181c", "#eceef0", "#9aa1aa", "#3a4048", "#58aef5", "#ff9440"),
}


class Picture(Figure):
    """A figure that notebooks show by itself, without pyplot and its magics, and whose letters are all meant as they
    stand: a class called "$x$" is no formula."""

    def draw(self, renderer: RendererBase) -> None:
        for text in self.findobj(Text):
            text.set_parse_math(False)
        super().draw(renderer)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        written = io.BytesIO()
        self.savefig(written, format="png", dpi=2 * NOTEBOOK, facecolor=self.get_facecolor())
        width, height = (round(NOTEBOOK * inches) for inches in self.get_size_inches())
        return written.getvalue(), {"width": width, "height": height}


def named(style: str) -> Style:
    """The style of this name; raises `SettingError` if there is none."""
    if style not in STYLES:
        raise unknown_name("style", style, STYLES)
    return STYLES[style]


def figure(style: Style, width: float, height: float) -> Figure:
    """An empty figure of this size in inches."""
    return Picture(figsize=(width, height), dpi=150, facecolor=style.paper)


def plain(axes: Axes, style: Style, spines: str = "left bottom") -> Axes:
    """Axes with few, quiet lines."""
    axes.set_facecolor("none")
    for name, spine in axes.spines.items():
        spine.set_visible(name in spines.split())
        spine.set_color(style.line)
    axes.tick_params(colors=style.quiet, labelsize=SMALL, length=3, width=0.6, color=style.line)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=style.quiet, fontsize=NORMAL)
    return axes


def empty(canvas: Canvas, width: float, height: float) -> Axes:
    """Axes over the whole canvas, without lines, in inches."""
    axes = canvas.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height), aspect="auto")
    axes.axis("off")
    return axes


def heading(canvas: Canvas, style: Style, title: str, below: str = "") -> None:
    """A title at the upper left, and a quiet line under it."""
    height = canvas.bbox.height / canvas.get_figure(root=True).dpi
    canvas.text(0.02, 1 - 0.1 / height, title, color=style.ink, fontsize=LARGE, weight="bold", va="top")
    canvas.text(0.02, 1 - 0.34 / height, below, color=style.quiet, fontsize=NORMAL, va="top")
