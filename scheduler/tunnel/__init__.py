"""SSH tunnels to a Redis server, opened with the system's ssh."""

from __future__ import annotations

from scheduler.tunnel.tunnel import Tunnel

__all__ = ["Tunnel"]
