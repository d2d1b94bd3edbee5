"""What the camera sees, on a page, for whoever turns it, focuses it and moves the lamp.

* `sight` — one frame with what was found in it; over a socket.
* `tap` — the running gate shows its frames to one who aims; nothing is done while nobody does.
* `watching` — where sights come from: the running gate, or the camera itself.
* `measures` — how good a picture is, and what to do about it.
* `sweep` — tries focus or exposure settings and keeps the best.
* `site` — the page and its answers over HTTP.
"""
