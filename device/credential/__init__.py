"""From the bytes of a code to what it claims: pure and total.

`registry.parse` takes any bytes and answers with exactly one `Credential`; it raises nothing. One file
per kind, one line each in the registry; `docs/how-to/own-credential.md` shows how to add one.
"""
