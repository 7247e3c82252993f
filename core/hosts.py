"""What is this machine: names and addresses that lead nowhere else."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a name or an address (with brackets or not) is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
