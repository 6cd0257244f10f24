"""Looks at the program itself: where its time goes."""
