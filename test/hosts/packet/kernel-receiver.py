"""Sends the frames of standard input (hexadecimal, one a line) into a network namespace of its own, and
prints the payload of every UDP datagram that the kernel hands to a socket there, in hexadecimal."""
import select, socket, subprocess, sys

def run(*words):
    subprocess.run(words, check=True)

run("ip", "link", "add", "near", "address", "02:00:00:00:00:01", "type", "veth",
    "peer", "name", "far", "address", "02:00:00:00:00:02")
run("ip", "address", "add", "10.0.0.2/24", "dev", "far")
run("ip", "address", "add", "2001:db8::2/64", "dev", "far", "nodad")
for device in ("lo", "near", "far"):
    run("ip", "link", "set", device, "up")
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)]
sockets[0].bind(("10.0.0.2", 4000))
sockets[1].bind(("2001:db8::2", 4000))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("near", 0))
for line in sys.stdin:
    for frame in line.split():
        wire.send(bytes.fromhex(frame))
    ready, _, _ = select.select(sockets, [], [], 0.3)
    print(ready[0].recv(65536).hex() if ready else "nothing", flush=True)
