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


def network_of(address: str) -> str:
    """Tell whose an address is: of IPv6 everybody has a network of 64 bits."""
    if ":" not in address:
        return address
    try:
        number = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if number.ipv4_mapped is not None:  # on a socket that takes both
        return str(number.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(number) >> 64 << 64, 64)))
