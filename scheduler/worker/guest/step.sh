#!/usr/bin/env bash
#
# Runs one step of a build in a container, as it would be run on a system of its own.

# Core files would go to the machine outside. Many open files make fakeroot and others slow.
ulimit -c 0
ulimit -S -n 1024 2>/dev/null

# Where Perl's programs are, and Java's, is told there.
if [[ $EUID != 0 && -r /etc/profile ]]; then
    # shellcheck source=/dev/null
    source /etc/profile
fi

# As one stream: of two, an engine tells in no order what came first.
exec "$@" 2>&1
