"""The queue's steps, as they run inside Redis. `scheduler.queue.scripts` puts them together."""
