"""The journal: every event on the card, in order, chained by hash. The only memory the gate has.

* `record` — an event as canonical JSON, and back.
* `chain` — what links the events, and where a link is broken.
* `database` — SQLite as a file that keeps its promises: settings, schema, the check at start.
* `damage` — a file that fails its check is kept under another name.
* `retention` — which events may go.
* `sqlite_journal` — `SqliteJournal`; the durability contract stands above it.
* `reader` — the journal as other processes read it while the daemon runs.
"""
