"""Wireless networks that a card of the provisioner brings, handed to NetworkManager.

`network` is what a card says of one; `manager` joins it and goes back where that fails; `bus` is the door to
the system bus.
"""
