"""The gate scanner: what runs on the device at the door or checkpoint."""

__all__ = ["__version__"]

__version__ = "0.1.0"
