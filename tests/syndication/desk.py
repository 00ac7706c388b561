"""Who writes in a feed, and who reads its documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from reading_back import Told, read
from support.server import Editor


@dataclass
class Desk:
    """A feed of the test's own, an editor who may set times, and a reader."""

    slug: str
    editor: Editor
    reader: httpx.Client

    def post(self, headline: str = "News", **fields: Any) -> dict[str, Any]:
        return self.editor.item(headline, self.slug, **fields)

    def get(self, rest: str, status: int = 200, **headers: str) -> httpx.Response:
        answer = self.reader.get(f"/feeds/{self.slug}{rest}", headers=headers)
        assert answer.status_code == status, answer.text[:300]
        return answer

    def url(self, rest: str) -> str:
        return str(self.reader.base_url).rstrip("/") + f"/feeds/{self.slug}{rest}"

    def told(self, suffix: str, query: str = "") -> dict[str, Told]:
        return read(suffix, self.get(suffix + query).content)
