"""The shipped runbooks: YAML files beside this one, found with importlib.resources."""
