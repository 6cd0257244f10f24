"""What maintainers run from a checkout; none of it is part of the package."""
