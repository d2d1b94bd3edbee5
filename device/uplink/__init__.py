"""The way to the broker: events out of the journal, MQTT 5 with QoS 1, receipts honoured.

Pure: `wire` (topics and CloudEvents), `state` (birth, goodbye, last will), `wishes` (what the district
asks), `reasons` (what the broker's answers mean), `flight`, `backoff`, `expiry`. `forwarder` is the thread
that joins a backlog and a session (`ports`) by way of `drain`, `outgoing` and `inbox`; `mqtt` is the one file
that knows paho, with `tls` and `dial` around it. `contract`, `schemas` and `asyncapi` describe the wire for
programs.
"""
