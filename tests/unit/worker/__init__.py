"""The side that obeys, part by part."""
