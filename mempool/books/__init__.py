"""Order books: one venue's levels, exact and always sorted at the top."""
