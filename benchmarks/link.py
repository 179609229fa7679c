"""Two hosts on this machine: network namespaces, and between them a link that is slow as it is told to be.

The kernel here has no netem, so the link is this process: it reads packets from a TUN device in either namespace, lets
each wait for its turn at so many bytes per second and then for the delay, and writes it to the other. Needs root.
"""

import contextlib
import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator

HOSTS = ("gn-a", "gn-b")
ADDRESSES = ("10.77.0.1", "10.77.0.2")
MTU = 65_000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


@contextlib.contextmanager
def link(bytes_per_second: float, delay: float) -> Iterator[None]:
    """The two namespaces exist, and can reach each other, while within."""
    command = [sys.executable, __file__, str(bytes_per_second), str(delay)]
    relay = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert relay.stdout is not None
        assert relay.stdout.readline().strip() == "ready"
        yield
    finally:
        relay.terminate()
        relay.wait()
        for host in HOSTS:
            subprocess.run(["ip", "netns", "del", host], check=False)


def on_host(which: int, command: list[str]) -> list[str]:
    """The command as it runs on host 0 or 1."""
    return ["ip", "netns", "exec", HOSTS[which], "env", "GLOO_SOCKET_IFNAME=link", *command]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _device(host: str, address: str) -> int:
    """A TUN device in a new namespace; gives its descriptor."""
    number = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(number, TUNSETIFF, struct.pack("16sH", f"link-{host}".encode(), IFF_TUN | IFF_NO_PI))
    _ip("netns", "add", host)
    _ip("link", "set", f"link-{host}", "netns", host)
    _ip("-n", host, "link", "set", f"link-{host}", "name", "link")
    _ip("-n", host, "addr", "add", f"{address}/24", "dev", "link")
    _ip("-n", host, "link", "set", "dev", "link", "mtu", str(MTU), "txqueuelen", "10000", "up")
    _ip("-n", host, "link", "set", "dev", "lo", "up")
    return number


def relay(bytes_per_second: float, delay: float) -> None:
    """Carry packets until terminated."""
    devices = [_device(host, address) for host, address in zip(HOSTS, ADDRESSES, strict=True)]
    print("ready", flush=True)
    waiting: list[deque[tuple[float, bytes]]] = [deque(), deque()]  # towards each host, with the time of arrival
    free = [0.0, 0.0]  # when the line towards it has sent what it has
    while True:
        now = time.monotonic()
        arrivals = [queue[0][0] for queue in waiting if queue]
        ready, _, _ = select.select(devices, [], [], max(0.0, min(arrivals, default=now + 1) - now))
        now = time.monotonic()
        for number in ready:
            towards = 1 - devices.index(number)
            with contextlib.suppress(BlockingIOError):
                packet = os.read(number, MTU + 100)
                free[towards] = max(free[towards], now) + len(packet) / bytes_per_second
                waiting[towards].append((free[towards] + delay, packet))
        for towards, queue in enumerate(waiting):
            while queue and queue[0][0] <= now:
                with contextlib.suppress(OSError):  # a device that is full drops it, as a line does
                    os.write(devices[towards], queue.popleft()[1])


if __name__ == "__main__":
    relay(float(sys.argv[1]), float(sys.argv[2]))
