"""What an operation costs in counts that no machine changes: commands, statements, syncs, modules.

No test here looks at a clock. Each bound is what was counted when it was written, with a margin of
about a fifth; who makes an operation dearer must raise its bound, and who makes it cheaper lowers
it.
"""
