"""Bytes in all files for each item, and seconds from the start of a server until it is ready."""

from statistics import median

from bench import folders
from bench.archive import Part, Sizes
from bench.archive.newsroom import open_newsroom
from bench.prose import CHARACTERS
from bench.report import Table

STARTS = 5


def measure(sizes: Sizes) -> Part:
    rows, figures = [], dict[str, object]()
    for count in (sizes.few, sizes.items):
        made = folders.archive(count)
        files = {file.name: file.stat().st_size for file in made.folder.iterdir()}
        each = sum(files.values()) / count
        starts = []
        for _ in range(STARTS):
            with open_newsroom(made, count) as newsroom:
                starts.append(newsroom.server.ready_after)
        large = sorted(files, key=files.__getitem__, reverse=True)
        listed = ", ".join(f"{name} {files[name] / count:,.0f}" for name in large if files[name])
        rows.append([f"{count:,}", f"{each:,.0f}", listed])
        rows[-1] += [f"{median(starts):.2f}", f"{max(starts):.2f}"]
        figures[f"{count}"] = {"each": each, "files": files, "starts": starts}
    columns = ["items", "bytes an item", "by file", "ready after, s", "slowest, s"]
    figures["each"], figures["ready"] = each, median(starts)
    title = f"Items of {CHARACTERS} characters on disk, and {STARTS} starts over them"
    return Part([Table(title, columns, rows)], figures)
