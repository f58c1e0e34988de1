"""Find a Chromium for the tests, or install one: `make test` calls this first."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find() -> str | None:
    """The path of Playwright's Chromium, or else of the system's."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else next(filter(None, map(shutil.which, NAMES)), None)


def install() -> bool:
    """Install Playwright's Chromium, or else Debian's as root."""
    if subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"]).returncode == 0:
        return True
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        return all(
            subprocess.run(["apt-get", *words]).returncode == 0 for words in (["update"], ["install", "-y", "chromium"])
        )
    return False


if __name__ == "__main__":
    if not find() and not (install() and find()):
        sys.exit(
            "The tests need Chromium: install it from your system's packages, or with `playwright install chromium`."
        )
    print(f"Browser for the tests: {find()}")
