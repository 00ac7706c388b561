"""The tables, as the list of steps that make them. A step that was released never changes."""

from __future__ import annotations

# Any file with another application id is not ours to touch.
APPLICATION_ID = 0x4E464431  # "NFD1"
FIRST = 2  # the schema of the first step; an older file is for `feedserver migrate`

MIGRATIONS = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;

    -- The journal. No row is ever rewritten: what a person wrote is in `sealed`, under a key of the
    -- record's own. From `status` on stands what the rules derived: the state it led to.
    CREATE TABLE records (
        sequence INTEGER PRIMARY KEY,
        v INTEGER NOT NULL,
        rid TEXT NOT NULL,
        act TEXT NOT NULL,
        feed TEXT,
        item INTEGER,
        editor TEXT,
        at INTEGER NOT NULL,
        claimed_at INTEGER,
        base_version INTEGER,
        base_check TEXT,
        breaking INTEGER,
        language TEXT,
        occurred_at INTEGER,
        retry_mac BLOB,
        origin_mac BLOB,
        settings TEXT,
        sealed BLOB,
        effective_at INTEGER NOT NULL,
        words_at INTEGER,
        status TEXT,
        pinned INTEGER,
        published_at INTEGER,
        updated_at INTEGER
    ) STRICT;
    CREATE INDEX records_of_item ON records (item, sequence) WHERE item IS NOT NULL;
    CREATE INDEX records_of_feed ON records (feed, sequence) WHERE feed IS NOT NULL;
    CREATE INDEX records_of_feeds_own ON records (feed, sequence)
        WHERE feed IS NOT NULL AND item IS NULL;
    CREATE INDEX records_that_erase ON records (sequence) WHERE act IN ('kill', 'redact');

    -- Title, description and key points are in the record that `words_at` names.
    CREATE TABLE feeds (
        slug TEXT PRIMARY KEY,
        rid TEXT NOT NULL,
        version INTEGER NOT NULL,
        version_check TEXT NOT NULL,
        words_at INTEGER NOT NULL,
        head INTEGER NOT NULL,
        "check" TEXT NOT NULL,
        language TEXT,
        timezone TEXT,
        created_at INTEGER NOT NULL,
        closed_at INTEGER,
        stamped_at INTEGER NOT NULL,
        summary_at INTEGER
    ) WITHOUT ROWID, STRICT;

    -- An item's latest state; its words are in the record that `words_at` names.
    CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        feed TEXT NOT NULL,
        rid TEXT NOT NULL,
        version INTEGER NOT NULL,
        "check" TEXT NOT NULL,
        words_at INTEGER NOT NULL,
        published_at INTEGER NOT NULL,
        touched_at INTEGER NOT NULL,
        updated_at INTEGER,
        killed_at INTEGER,
        held INTEGER,
        pinned INTEGER,
        breaking INTEGER,
        imported INTEGER,
        language TEXT,
        occurred_at INTEGER
    ) STRICT;
    CREATE INDEX items_by_time ON items (feed, published_at, id);
    CREATE INDEX items_by_version ON items (feed, version);
    CREATE INDEX items_pinned ON items (feed, published_at, id) WHERE pinned;

    -- Which record used an Idempotency-Key, by its MAC. Kept for ever.
    CREATE TABLE retry_keys (
        mac BLOB PRIMARY KEY,
        sequence INTEGER NOT NULL
    ) WITHOUT ROWID, STRICT;

    -- Which item an import's origin made, by the MAC of the origin.
    CREATE TABLE origins (
        mac BLOB PRIMARY KEY,
        item INTEGER NOT NULL
    ) WITHOUT ROWID, STRICT;

    CREATE TABLE tokens (
        name TEXT PRIMARY KEY,
        digest TEXT NOT NULL,
        feeds TEXT NOT NULL,
        importer INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        revoked_at INTEGER
    ) WITHOUT ROWID, STRICT;
    """,
    """
    -- Who has to clear up what is in doubt asks for all of it, however old.
    CREATE INDEX items_held ON items (feed, published_at, id) WHERE held;
    """,
)
