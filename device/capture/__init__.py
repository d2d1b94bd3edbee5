"""Cameras, and replays of pictures: each a `FrameSource`, read by one `CaptureLoop`."""
