"""Parts of several plots: pictures of the shape of the input, signed or not."""

from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from glassnet.arrays import Array
from glassnet.plots.style import Style
from glassnet.schema import Schema


def picture_shape(schema: Schema) -> tuple[int, int] | None:
    """Height and width if the inputs are a picture, else None."""
    shape = schema.input_shape
    return (shape[0], shape[1]) if shape is not None and len(shape) == 2 else None


def ink_picture(axes: Axes, values: Array, style: Style) -> AxesImage:
    """A picture (h, w) of values from 0 up, from paper to ink."""
    high = float(values.max()) or 1.0
    image = axes.imshow(values, cmap=style.inks, vmin=min(0.0, float(values.min())), vmax=high, interpolation="nearest")
    _framed(axes, style)
    return image


def signed_picture(axes: Axes, values: Array, limit: float, style: Style) -> AxesImage:
    """A picture (h, w) of signed values on a linear scale up to `limit`: blue is positive, orange negative."""
    limit = limit or 1.0
    image = axes.imshow(values, cmap=style.signs, vmin=-limit, vmax=limit, interpolation="nearest")
    _framed(axes, style)
    return image


def _framed(axes: Axes, style: Style) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set(color=style.line, linewidth=0.8)
