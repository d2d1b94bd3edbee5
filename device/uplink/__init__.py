"""The way to the broker: events out of the journal, MQTT 5 with QoS 1, receipts honoured.

Pure: `wire` (topics and CloudEvents), `state` and `health` (what a gate says of itself), `wishes` (what the
district asks), `reasons` (what the broker's answers mean), `flight`, `backoff`, `expiry`; `caution` judges
refusals, `budget` a day's data. `forwarder` is the thread that joins a backlog and a session (`ports`); in it
`drain` moves events, `outgoing` makes messages of them, `inbox` takes what comes in, and `extras` are what is
said besides: `pulse`, `replays`, `reoffer`. `client`, `mqtt`, `consumer` are the door to paho, with `tls` and
`dial` around it. `contract`, `schemas` and `asyncapi` describe the wire for programs.
"""
