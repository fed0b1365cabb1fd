"""Real processes and a real Redis, killed, frozen and cut off at random; then a checker.

`python -m tests.chaos --jobs 1000 --workers 8 --seed N`. Submitters, workers and database runners
(`actors/`) write down what they say to the queue and what they hear (`journal`); `faults` decides
what is done to them, `run` does it, and `check` compares journals, event stream and what is left
in Redis. The seed decides the work, the faults and everybody's choices. It cannot decide how
processes interleave: a seed is a neighbourhood, not a replay.
"""
