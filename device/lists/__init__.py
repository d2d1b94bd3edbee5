"""The files of the lists: read, checked, kept on the card, watched while the gate runs."""
