"""The lab: a stand-in OMS agent, its cloud and its hosts, in which the demo and the tests live."""
