"""The public notice at a gate: what is kept of people who pass, why, how long, who gets it, whom to ask.

* `practice` — what the configuration makes the gate do with personal data.
* `vietnamese`, `english` — the same in words, section by section.
* `pages` — the words as text for a terminal and as an A4 page for a printer.

Nothing in it is a promise that the configuration does not keep: another configuration, another notice.
"""
