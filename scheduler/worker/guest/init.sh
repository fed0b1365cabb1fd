#!/usr/bin/env bash
#
# The first process of a build container. It takes orders on standard input and answers each with
# a line. When the input ends, because the worker is done or dead, the container does as well.
#
#     end    wait a moment for everything else to end, then end it
#     kill   end everything else now
#
# Nothing is started for it: a build may have used up all processes that it is allowed.

set -u

exec {never}<> <(:)

pause() {
    read -r -t 0.02 -u "$never"
}

others_run() {
    kill -0 -1 2>/dev/null
}

# Prints how often it took the signal: 0 where there was nothing to end.
end_others() {
    local rounds
    for ((rounds = 0; rounds < 500; rounds++)); do
        kill -KILL -1 2>/dev/null || break
        pause
    done
    printf 'done %d\n' "$rounds"
}

printf 'ready\n'
while read -r order; do
    if [[ $order == end ]]; then
        for ((looks = 0; looks < 15; looks++)); do
            others_run || break
            pause
        done
    fi
    end_others
done
exit 0
