-- Answers when the queue is open, like any other script, and does nothing.

return 1
