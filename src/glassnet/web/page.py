"""The page as the server sends it: the built file, with its content security policy as a header."""

import re
from typing import NamedTuple

from glassnet.errors import FileError
from glassnet.files.formats.html.template import template

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)" />')
SERVED = "connect-src 'self'; font-src 'none'; frame-ancestors 'none'"
"""What the policy of a served page has besides that of the file."""


class Page(NamedTuple):
    """The built page.

    Attributes
    ----------
    template : bytes
        The whole file, which the page fills when it makes a single file of itself.
    content : bytes
        The same without its own policy, which would forbid it to ask the server.
    policy : str
        Scripts and styles of the page by their hashes; requests to this server and nowhere else.
    """

    template: bytes
    content: bytes
    policy: str


def read() -> Page:
    """Read the built page; raises `FileError` if it was not built."""
    text = template()
    own = POLICY.search(text)
    if own is None:
        raise FileError("the built page has no content security policy", help="run: npm run build in frontend/")
    return Page(text.encode(), POLICY.sub("", text, count=1).encode(), f"{own[1]}; {SERVED}")
