"""Chromium as the tests start it."""

import os

CHROMIUM = "/usr/bin/chromium"
QUICK = os.environ.get("TEST_BROWSER", "/usr/bin/chromium-headless-shell")
"""The same engine without a browser around it, in half the time. `make test-all` takes Chromium."""

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that a test makes up has no address of its own, and might not speak to ours.
    "--disable-features=LocalNetworkAccessChecks",
]
