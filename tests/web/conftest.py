"""The page as a visitor has it: `glassnet open` in a process of its own, and Debian's Chromium driven by Playwright.

Without Chromium (`make tools` installs it) these tests fail. Whatever the page writes to its console as an error fails
the test that made it do so.
"""

import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from http.cookiejar import CookieJar

import pytest
from playwright.sync_api import expect, sync_playwright

expect.set_options(timeout=20_000)  # machines are busy

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
SIZE = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium")
    assert chromium, "these tests need chromium; on Debian: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


class Served:
    """A running `glassnet open`: its address, and the cookie that its token was given for."""

    def __init__(self, *models):
        command = [sys.executable, "-m", "glassnet", "open", "--no-browser", *map(str, models)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line + self.process.stderr.read()
        self.address = found[0]
        cookies = CookieJar()
        urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies)).open(line.strip()).close()
        self.cookies = [{"name": cookie.name, "value": cookie.value, "url": self.address} for cookie in cookies]

    def close(self):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)


@pytest.fixture(scope="session")
def served():
    """The server with what comes along: the example networks and the digits."""
    server = Served()
    yield server
    server.close()


@pytest.fixture
def visit(browser):
    """`visit(served, "#...", **context)`: a new visitor's page, at the first view. Its errors fail the test."""
    contexts, problems = [], []

    def opened(server, fragment="", *, viewport=SIZE, **context):
        contexts.append(browser.new_context(viewport=viewport, **context))
        contexts[-1].add_cookies(server.cookies)
        page = contexts[-1].new_page()
        page.on("console", lambda message: problems.append(message.text) if _is_fault(message) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(server.address + fragment)
        page.get_by_role("heading", name="glassnet").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(visit, served):
    return visit(served)


@pytest.fixture
def serve():
    """`serve(*models)`: a server of one's own, with models opened from the command line."""
    servers = []

    def started(*models):
        servers.append(Served(*models))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


def _is_fault(message):
    """Whether a console message is an error of the page. Chromium also logs that the server refused a dropped file."""
    refused = re.search("/api/(files|tables)[?]", message.location["url"]) and "status of 4" in message.text
    return message.type == "error" and not refused
