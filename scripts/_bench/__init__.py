"""What `scripts/bench` measures: decoding, the whole path from a node's frame, and the pools' maths."""
