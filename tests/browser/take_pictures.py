"""Take the pictures that are kept: `npm run pictures`.

Every look of the ticker for docs/embedding.md, and what link previews show of pages without a
picture of their own.
"""

from __future__ import annotations

import base64
import itertools
import tempfile
from pathlib import Path

from chromium import open_site
from support.server import ROOT
from test_looks import open_variants

IMAGES = ROOT / "docs/images"
SIZE = {"width": 1100, "height": 900}
CARD = {"width": 1200, "height": 630}
# No words: a preview stands for pages in every language.
CARD_PAGE = """
<style>
    body { margin: 0; height: 630px; display: grid; place-items: center; background: #fdfcf9;
        box-shadow: inset 0 16px #c0281f }
    img { width: 224px }
</style>
<img src="/icon.svg" alt="">
"""
QUALITY = 60  # of 100; with it, and in parts, each is under 100 KB
# Where a part begins and the next one does: before the first section, the sixth and the tenth.
PARTS = """() => {
    const tops = [...document.querySelectorAll('section')].map((section) => section.offsetTop - 16);
    return [tops[0], tops[5], tops[9], document.documentElement.scrollHeight];
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, open_site(Path(folder) / "data") as site:
        page = site.open("/robots.txt", viewport=CARD)
        page.set_content(CARD_PAGE)
        page.screenshot(path=ROOT / "web/pages/card.png")
        for scheme in ("light", "dark"):
            page = open_variants(site, "ltr", color_scheme=scheme, viewport=SIZE)
            session = page.context.new_cdp_session(page)
            tops = page.evaluate(PARTS)
            for number, (top, end) in enumerate(itertools.pairwise(tops), 1):
                area = {"x": 0, "y": top, "width": SIZE["width"], "height": end - top, "scale": 1}
                shot = session.send(
                    "Page.captureScreenshot",
                    {
                        "format": "webp",
                        "quality": QUALITY,
                        "captureBeyondViewport": True,
                        "clip": area,
                    },
                )
                picture = IMAGES / f"looks-{scheme}-{number}.webp"
                picture.write_bytes(base64.b64decode(shot["data"]))
                print(f"{picture.name}: {picture.stat().st_size} bytes")


if __name__ == "__main__":
    main()
