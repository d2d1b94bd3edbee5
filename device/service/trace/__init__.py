"""What a gate was doing at a moment, and what became of a person there: the body of `gate-scanner trace`.

* `records` — where the events are: a gate's journal, or a district's store.
* `dating` — when each of them happened, as well as can be said.
* `stretches` — what the gate was doing, without a gap.
* `answer` — the answer to "he says he was there".
* `words` — the same for people.
"""
