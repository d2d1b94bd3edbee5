"""Lights, buzzer and relay: what a cue looks and sounds like, and the pins that carry it out."""
