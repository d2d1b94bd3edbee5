"""Codes made for something else: a person who shows one is told so, not refused.

Their contents are looked at only as far as recognising them needs, and kept nowhere: Wi-Fi codes and
otpauth codes carry secrets.
"""
