"""The journal: every event on the card, in order, chained by hash. The only memory the gate has.

* `record` — an event as canonical JSON, and back.
* `chain` — what links the events, and where a link is broken.
* `database` — SQLite as a file that keeps its promises: settings, schema, the check at start.
* `opening` — opens it, or puts a damaged one aside and begins a new one.
* `damage` — a file that fails its check is kept under another name.
* `salvage`, `rescue` — what can still be found in it is carried over.
* `retention` — which events may go.
* `writer`, `keeper` — what is synced, and what is written lazily.
* `signing` — checkpoints.
* `state`, `memory` — what is known without reading the file.
* `guard`, `delivery`, `upkeep` — the parts of an open journal: its files, the forwarder's side, making room.
* `sqlite_journal` — `SqliteJournal`; the durability contract stands above it.
* `reader` — the journal as other processes read it while the daemon runs.
"""
