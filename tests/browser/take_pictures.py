"""Take the pictures of every look of the ticker for docs/embedding.md: `npm run pictures`."""

from __future__ import annotations

import base64
import itertools
import tempfile
from pathlib import Path

from chromium import set_stage
from support.server import ROOT
from test_looks import open_variants

IMAGES = ROOT / "docs/images"
SIZE = {"width": 1100, "height": 900}
QUALITY = 60  # of 100; with it, and in parts, each is under 100 KB
# Where a part begins and the next one does: before the first section, the sixth and the tenth.
PARTS = """() => {
    const tops = [...document.querySelectorAll('section')].map((section) => section.offsetTop - 16);
    return [tops[0], tops[5], tops[9], document.documentElement.scrollHeight];
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, set_stage(Path(folder) / "data") as stage:
        for scheme in ("light", "dark"):
            page = open_variants(stage, "ltr", color_scheme=scheme, viewport=SIZE)
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
