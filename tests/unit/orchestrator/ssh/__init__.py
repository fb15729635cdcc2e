"""Tests of keys in SSH's forms and of ssh-agent."""
