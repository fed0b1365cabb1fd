"""`caur-ci demo`: the whole journey on one machine, with nothing given.

packages, world   what it is done with: fixtures, repositories, a key, folders
services, board   the real commands as child processes, and what the queue says of them
client            pacman with a root, a database and a keyring of its own
verdict, summary  whether everything happened that was promised, and what came of it
journey           the order of all that
"""
