"""pairwright: dialogues, or nothing but a scenario, become preference data that makes a small model better.

The repository's root is this package: ``core``, ``pipelines`` and the other folders are ``pairwright.core``,
``pairwright.pipelines`` and so on.
"""

__version__ = "0.1.0"
