"""Tests of the orchestrator on real files and a real Redis."""
