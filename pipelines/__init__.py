"""The flow from dialogues to data sets. ``build`` is the list of its stages: read it first."""
