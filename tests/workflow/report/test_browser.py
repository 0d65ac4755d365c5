"""The report in a browser, from a file: it asks for nothing, and its controls do what they say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from nqs.workflow.report.page import build

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
webdriver = pytest.importorskip("selenium.webdriver", reason="needs the package selenium")
pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs chromium and chromedriver on PATH")
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--window-size=1300,900",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(project) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in QUIET:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get(build(project, "smoke").as_uri())
    yield driver
    driver.quit()


@pytest.fixture(autouse=True)
def cleared(browser) -> None:
    browser.execute_script("document.getElementById('reset').click()")
    browser.execute_async_script("setTimeout(arguments[0], 50)")


def visible(browser, selector: str) -> list[Any]:
    """Elements of the page that are shown; those in closed details count."""
    script = "return [...document.querySelectorAll(arguments[0])].filter(one => !one.closest('[hidden]'))"
    return browser.execute_script(script, selector)


def number(browser) -> list[int]:
    """The numbers that the page announces: entries shown and in all, claims shown and in all."""
    words = browser.find_element("id", "shown").text.replace(",", "").split()
    return [int(word) for word in words if word.isdigit()]


def test_nothing_is_asked_for_and_nothing_complains(browser):
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]
    assert {address.split(":")[0] for address in asked} <= {"file", "data"}
    assert sum(address.startswith("file:") for address in asked) == 1
    assert browser.get_log("browser") == []


def test_every_picture_is_there(browser):
    widths = browser.execute_script("return [...document.images].map(one => [one.complete, one.naturalWidth, one.alt])")
    assert widths
    assert all(complete and width > 100 and alt for complete, width, alt in widths)


def test_search_keeps_what_fits(browser):
    entries, all_entries, claims, all_claims = number(browser)
    assert (entries, claims) == (all_entries, all_claims)
    browser.find_element("id", "search").send_keys("entropy of a block")
    entries, _, claims, _ = number(browser)
    assert 0 < entries < all_entries
    assert entries == len(visible(browser, "article.shown"))
    assert claims == len(visible(browser, "li.claim"))
    assert all("entropy" in one.get_attribute("textContent").lower() for one in visible(browser, "article.shown"))
    browser.find_element("id", "search").send_keys(" no such words")
    assert number(browser)[0] == 0
    assert browser.find_element("css selector", ".nothing").is_displayed()


def test_source_and_verdict_filter_together(browser):
    browser.find_element("css selector", "#study option[value=ju2025]").click()
    browser.find_element("css selector", "input[value='not reproduced']").send_keys(" ")
    claims = visible(browser, "li.claim")
    assert claims
    assert {one.get_attribute("data-verdict") for one in claims} == {"not reproduced"}
    assert {one.get_attribute("data-study") for one in visible(browser, "article.shown")} == {"ju2025"}
    assert len(visible(browser, "section.study")) == 1
    assert [len(visible(browser, "article.shown")), len(claims)] == number(browser)[::2]


def test_a_number_of_the_scorecard_shows_its_claims(browser):
    button = browser.find_element("css selector", "button.count[data-study=westerhout2020][data-verdict=reproduced]")
    expected = int(button.text)
    button.click()
    assert number(browser)[2] == expected == len(visible(browser, "li.claim"))


def test_the_switch_changes_light_and_dark(browser):
    def ground() -> str:
        return browser.execute_script("return getComputedStyle(document.body).backgroundColor")

    switch = browser.find_element("id", "theme")
    before, pressed = ground(), switch.get_attribute("aria-pressed")
    browser.execute_script("arguments[0].focus()", switch)
    switch.send_keys("\n")
    assert ground() != before
    assert switch.get_attribute("aria-pressed") != pressed
    switch.send_keys("\n")
    assert ground() == before


def test_a_key_leads_to_the_search_and_focus_can_be_seen(browser):
    browser.find_element("css selector", "body").send_keys("/")
    focused = browser.switch_to.active_element
    assert focused.get_attribute("id") == "search"
    assert focused.value_of_css_property("outline-style") == "solid"


def test_all_details_open_and_close(browser):
    closed = "return document.querySelectorAll('main details:not([open])').length"
    number_closed = browser.execute_script(closed)
    browser.find_element("id", "unfold").send_keys("\n")
    assert number_closed > 0 == browser.execute_script(closed)
    browser.find_element("id", "unfold").send_keys("\n")
    assert browser.execute_script(closed) == number_closed


@pytest.mark.parametrize("width", [360, 768, 1300])
def test_the_page_is_as_wide_as_the_window(width, browser):
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
