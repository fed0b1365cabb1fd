"""The command line: parses, calls one journey, shows the result, answers with an exit code.

Every command module imports only what its option declarations need; the journey behind it is
imported when it runs, so that `--help` and short pipeline steps start fast.
"""
