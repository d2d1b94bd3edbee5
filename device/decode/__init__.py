"""From a picture to the codes in it: engines, the ladder that chooses among them, the child it runs in."""
