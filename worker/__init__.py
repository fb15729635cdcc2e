"""The side that obeys: courier and executor on a host. Never imports the orchestrator."""
