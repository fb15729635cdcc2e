"""The broker as its keeper sees it: users, rules, and whether it is set up well."""
