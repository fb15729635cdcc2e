"""Host policies that come with Denrei, to begin with."""
