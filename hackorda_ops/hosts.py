"""Which hosts are local: what is sent to them stays on this machine or in a private network, as far as names say."""

import ipaddress
import re
from typing import Final

# Names that no public DNS has: those of machines, containers and services in a network of one's own.
_LOCAL_NAME: Final = re.compile(
    r"[a-z_][\w-]*|.+\.(localhost|local|internal|lan|home\.arpa)", re.IGNORECASE | re.ASCII
)


def is_local_host(host: str) -> bool:
    """Whether a host is local: a socket, an address of this machine or a private network, or a name of one. Pure."""
    if host.startswith(("/", "@")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bool(_LOCAL_NAME.fullmatch(host))
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_private)
