"""`python -m mempool`: the same as the command `mempool`."""

from mempool.cli.start import start

if __name__ == "__main__":
    start()
