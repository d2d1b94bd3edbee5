"""What a signed code from the provisioner does at a gate: service cards, and the first configuration.

The text of such a code is never logged and never part of an event. Its signature is checked before anything
in it is believed.
"""
