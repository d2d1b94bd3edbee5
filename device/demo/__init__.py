"""The demonstration: the real daemon and a real broker at a drawn gate, shown in a terminal.

Nothing here runs on a device. What a visitor sees is what the daemon logs and what a subscriber at the
broker receives; the demonstration decides nothing itself.
"""
