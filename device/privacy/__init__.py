"""What is kept of who somebody is: nothing, sealed to the district, or in clear where that was asked for.

* `sealing` — HPKE: keys, sealing and opening; the bytes that bind a sealed identity to its event.
* `keeping` — which fields of a credential an event keeps, and in which form.
"""
