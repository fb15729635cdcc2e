"""The peers: the same three steps by Salt and by Ansible, on this machine and in the same run."""
