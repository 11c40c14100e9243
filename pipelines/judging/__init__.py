"""Stages that put queries and answers before gates, judges and improvers."""
