"""Endpoints: the client that asks them, the ledger of paid answers, limits, and a server on this machine."""
