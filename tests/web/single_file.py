"""The single file as one opens it."""

from contextlib import contextmanager


@contextmanager
def offline(browser, path):
    """A single file opened from the disk with the network off."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    yield page
    context.close()
