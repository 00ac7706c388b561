"""The feeds of a data folder of the server, for the words that a shell offers."""

import os


def feeds_of_folder(folder: str) -> list[str]:
    """Return the slugs of the feeds in a data folder; none where they cannot be read.

    Nothing in the folder is locked or written, so that what a server added last may be missing.
    """
    import sqlite3  # only now: most words are no feed's
    from urllib.parse import quote

    path = os.path.abspath(os.path.join(folder, "feed.db"))
    try:
        base = sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error:
        return []
    try:
        return [str(slug) for (slug,) in base.execute("SELECT slug FROM feeds ORDER BY slug")]
    except sqlite3.Error:
        return []
    finally:
        base.close()
