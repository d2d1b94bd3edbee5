"""The way to the broker: events out of the journal, MQTT 5 with QoS 1, receipts honoured.

`wire` says what goes over the line, `reasons` what the broker's answers mean, `flight` and `backoff`
keep count; all four are pure. `forwarder` is the thread that joins a backlog and a session; `mqtt` is
the one file that knows paho.
"""
