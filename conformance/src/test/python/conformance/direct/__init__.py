"""A client of the protocol taskbroker.v1, written from docs/protocol.md and the .proto files alone.

PYTHONPATH has the folder of the .proto files, from which the messages are generated when imported.
"""
