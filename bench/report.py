"""What a benchmark hands back: tables to read, figures to keep, lines to plot."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under columns; the first column names the row."""

    title: str
    columns: list[str]
    rows: list[list[str]]

    def text(self) -> str:
        """For a terminal: aligned, numbers to the right."""
        widths = [max(len(line[i]) for line in (self.columns, *self.rows)) for i in range(self._n)]
        lines = [self.title, self._line(self.columns, widths)]
        lines.append("  ".join("-" * width for width in widths))
        lines.extend(self._line(row, widths) for row in self.rows)
        return "\n".join(lines)

    def markdown(self) -> str:
        rule = ["---", *(["---:"] * (self._n - 1))]
        lines = [f"**{self.title}**", ""]
        lines.extend(f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows))
        return "\n".join(lines)

    @property
    def _n(self) -> int:
        return len(self.columns)

    @staticmethod
    def _line(cells: list[str], widths: list[int]) -> str:
        first, *rest = (
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join([first, *rest]).rstrip()


@dataclass(frozen=True, slots=True)
class Report:
    """One benchmark's result. `figures` is the same as numbers, for `--json`;
    `lines` are the plot's: system → [(x, y)…]."""

    name: str
    method: str
    tables: list[Table]
    figures: dict[str, object]
    notes: list[str] = field(default_factory=list)
    lines: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    short: bool = False
    took: float = 0.0
    machine: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        parts = [table.text() for table in self.tables]
        if self.notes:
            parts.append("\n".join(f"* {' '.join(note.split())}" for note in self.notes))
        return "\n\n".join(parts)

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, file: Path) -> "Report":
        kept = json.loads(file.read_text())
        kept["tables"] = [Table(**table) for table in kept["tables"]]
        return cls(**kept)
