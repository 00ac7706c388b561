"""The tables, as the list of steps that make them. A step that was released never changes."""

from __future__ import annotations

# Any file with another application id is not ours to touch.
APPLICATION_ID = 0x4E464431  # "NFD1"

MIGRATIONS = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;

    -- The journal. A kill sets payload to NULL; the row stays, so that cursors stay known.
    CREATE TABLE records (
        sequence INTEGER PRIMARY KEY,
        rid TEXT NOT NULL,
        act TEXT NOT NULL,
        feed TEXT,
        item INTEGER,
        editor TEXT,
        at INTEGER NOT NULL,
        effective_at INTEGER NOT NULL,
        payload BLOB
    ) STRICT;
    CREATE INDEX records_of_item ON records (item, sequence) WHERE item IS NOT NULL;
    CREATE INDEX records_of_feed ON records (feed, sequence) WHERE feed IS NOT NULL;

    CREATE TABLE feeds (
        slug TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        language TEXT,
        timezone TEXT,
        description TEXT,
        created_at INTEGER NOT NULL,
        closed_at INTEGER,
        version INTEGER NOT NULL,
        head INTEGER NOT NULL,
        "check" TEXT NOT NULL,
        stamped_at INTEGER NOT NULL
    ) WITHOUT ROWID, STRICT;

    CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        feed TEXT NOT NULL,
        version INTEGER NOT NULL,
        published_at INTEGER NOT NULL,
        killed INTEGER NOT NULL,
        pinned INTEGER NOT NULL,
        state BLOB NOT NULL
    ) STRICT;
    CREATE INDEX items_by_time ON items (feed, published_at, id);
    CREATE INDEX items_by_version ON items (feed, version);
    CREATE INDEX items_pinned ON items (feed) WHERE pinned;

    CREATE TABLE tags (
        feed TEXT NOT NULL,
        tag TEXT NOT NULL,
        item INTEGER NOT NULL,
        PRIMARY KEY (feed, tag, item)
    ) WITHOUT ROWID, STRICT;
    CREATE INDEX tags_of_item ON tags (item);
    CREATE VIRTUAL TABLE words USING fts5 (headline, body, tags);

    -- Kept for ever. A kill empties salt and body_mac.
    CREATE TABLE keys (
        feed TEXT NOT NULL,
        editor TEXT NOT NULL,
        mac TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        item INTEGER NOT NULL,
        salt TEXT NOT NULL,
        body_mac TEXT NOT NULL,
        PRIMARY KEY (feed, editor, mac)
    ) WITHOUT ROWID, STRICT;
    CREATE INDEX keys_of_item ON keys (item);

    CREATE TABLE origins (
        feed TEXT NOT NULL,
        uri TEXT NOT NULL,
        id TEXT NOT NULL,
        item INTEGER NOT NULL,
        PRIMARY KEY (feed, uri, id)
    ) WITHOUT ROWID, STRICT;

    CREATE TABLE tokens (
        name TEXT PRIMARY KEY,
        digest TEXT NOT NULL,
        feeds TEXT NOT NULL,
        importer INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        revoked_at INTEGER
    ) WITHOUT ROWID, STRICT;

    -- Killed items whose words may still be in a file.
    CREATE TABLE purges (item INTEGER PRIMARY KEY) STRICT;
    """,
)
