"""Tests of one thing at a time, without a broker."""
