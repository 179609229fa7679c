"""A page whose server is gone goes on with what it has, and says so where it cannot."""

import re

from playwright.sync_api import expect


def test_the_page_goes_on_without_its_server(browser, serve, tmp_path):
    server = serve()
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies(server.cookies)
    page = context.new_page()
    page.goto(server.address)
    page.get_by_role("button", name=re.compile("^test digits 1,")).wait_for()
    server.process.kill()
    server.process.wait()
    page.get_by_role("button", name=re.compile("^test digits 1,")).click()
    expect(page.locator("[role=status]").filter(has_text="looks like 2")).to_be_attached()
    page.get_by_label("train on", exact=True).select_option("circle")
    page.get_by_role("button", name="Epoch", exact=True).click()
    expect(page.get_by_label("Timeline: step")).to_have_attribute("aria-valuetext", re.compile("^step 40 "))
    page.get_by_role("navigation").get_by_role("button", name="Count").click()
    model = tmp_path / "model.npz"
    model.write_bytes(b"PK")
    page.set_input_files("section[aria-labelledby=file] input[type=file]", model)
    gone = "The server is gone. What you have here goes on; start it again with: glassnet open"
    expect(page.get_by_role("alert").filter(has_text=gone)).to_be_visible()
    context.close()
