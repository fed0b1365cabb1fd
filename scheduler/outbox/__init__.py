"""What is to be told others and has not arrived yet, kept in Redis until it has.

Those who follow the queue's events write here and go on; others send, as fast as it goes. So
nothing waits for a chat or a forge, and what nobody takes for a day is still there afterwards.
"""

from scheduler.outbox.patience import Patience, Rest
from scheduler.outbox.sending import DeliveryError, Dispatcher, Sender
from scheduler.outbox.store import Outbox

__all__ = ["DeliveryError", "Dispatcher", "Outbox", "Patience", "Rest", "Sender"]
