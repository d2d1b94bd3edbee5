"""What happened at a gate in a day: who came, what they were told, how long the gate was there for them.

* `figures` — counted from the events alone, at the gate or in the district's store.
* `words` — the same for a person, in Vietnamese or English; as CSV and as JSON for programs.
"""
