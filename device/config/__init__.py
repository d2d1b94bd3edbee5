"""The one file a technician writes: the model of its settings, and a reader that answers every mistake.

text -> `source` (bytes) -> `document` (YAML with places) -> `model` (types and limits) ->
`crosschecks` and `files` -> `Settings`, or a `ConfigError` that names everything found.
"""
