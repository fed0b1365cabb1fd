"""`caur-ci demo`: the whole journey on one machine, with nothing given.

packages, setup   what it is done with: fixtures, repositories, a key, folders
aur               where updates appear
system            the real commands as child processes, by `caur_ci.standalone`
client, machine   pacman with a root, a database and a keyring of its own, also for builds
rebuild           what came of a library's move
checks, summary   whether everything happened that was promised, and what came of it
page              the web server on what came of it
journey           the order of all that
"""
