"""Commands too large for `device/cli.py`: each file adds its own to the command line."""
