"""The only sockets: what nodes say, stamped, captured, and handed on as typed events."""
