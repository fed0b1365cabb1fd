"""How fast the queue is, beside other queues on the same Redis server in the same run."""
