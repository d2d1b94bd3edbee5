"""What a technician wants to know of a gate before driving home: each check with its cause and remedy."""
