#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tapir-web in other hands: started by tapird in place of it, it gives its channels to whoever
connects to the socket `channels` beside it, and waits."""
import os
import signal
import socket
import sys

HERE = os.path.dirname(os.path.abspath(sys.argv[0]))
OPTS = dict(a[2:].split("=", 1) for a in sys.argv[1:] if "=" in a)


def main():
    """As the user that tapir-web is."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(os.path.join(HERE, "channels"))
    door.listen(1)
    os.setgroups([])
    os.setgid(int(OPTS["gid"]))
    os.setuid(int(OPTS["uid"]))
    peer = door.accept()[0]
    socket.send_fds(peer, [OPTS["uid"].encode()], [int(OPTS["supervisor"]), int(OPTS["gate"])])
    while True:
        signal.pause()


main()
