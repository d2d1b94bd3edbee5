"""The commands: each file adds its own to the command line: what it takes, which exit code it gives."""
