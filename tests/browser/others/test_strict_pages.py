"""In Firefox and WebKit: a ticker keeps to the strictest policy, and needs no origin."""

from __future__ import annotations

import pytest
from readers import READER, READER_HASH, Reader

pytestmark = pytest.mark.more


def test_a_strict_policy_with_trusted_types_is_kept(visitor: Reader) -> None:
    feed = visitor.site.feed()
    item = feed.post("Under a policy", body="**bold** and a [link](https://example.org/)")
    item = feed.do(item, "update", body="**bolder**")
    url = visitor.site.server.url
    policy = (
        f"default-src 'none'; script-src 'self' 'sha256-{READER_HASH}'; "
        f"connect-src {url} {url.replace('http', 'ws')}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    visitor.embed(visitor.ticker(feed), Content_Security_Policy=policy)
    visitor.ask("() => reader.find('Under a policy').querySelector('[part=updated]').click()")
    visitor.wait("() => reader.find('Under a policy').querySelector('ins')")
    feed.post("And live")
    visitor.wait_for("And live", "Under a policy")
    feed.do(item, "correct", note="It was not so.")
    visitor.wait("() => reader.words('Under a policy').includes('It was not so.')")
    box = visitor.ask("() => reader.scroller().getBoundingClientRect().height")
    assert 200 < box < 600  # the look is there too
    assert visitor.ask("() => reader.errors") == []

    # The policy holds, and breaking it would have been heard.
    assert (
        visitor.ask(
            """() => {
            const element = document.createElement('p');
            try { element.innerHTML = '<b>'; return 'allowed'; } catch { /* as it must */ }
            document.body.append(element);
            element.setAttribute('style', 'color: red');
            return getComputedStyle(element).color;
        }"""
        )
        == "rgb(0, 0, 0)"
    )
    visitor.wait("() => reader.errors.length === 2")
    visitor.ask("() => { reader.errors.length = 0 }")


def test_a_sandboxed_frame_without_an_origin_is_served(visitor: Reader) -> None:
    feed = visitor.site.feed()
    feed.post("In a box")
    # Nobody can look into such a frame; it tells.
    tell = "setInterval(() => parent.postMessage([origin, reader.headlines()], '*'), 50)"
    listen = "addEventListener('message', ({ data }) => { window.told = data })"
    inner = visitor.site.host.page(
        f"<script>{READER}</script>{visitor.ticker(feed)}<script>{tell}</script>",
        path="/inner",
    )
    visitor.browser.open(
        visitor.site.host.page(
            f"<script>{READER}</script><script>{listen}</script>"
            f'<iframe sandbox="allow-scripts" src="{inner}"></iframe>'
        )
    )
    visitor.wait("() => window.told?.[1].length")
    assert visitor.ask("() => told") == ["null", ["In a box"]]
    feed.post("And live")
    visitor.wait("() => told[1].length === 2")
    assert visitor.ask("() => told[1]") == ["And live", "In a box"]
