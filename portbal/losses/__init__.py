"""What one series of returns may lose: each module one way from numbers to a Tail."""
