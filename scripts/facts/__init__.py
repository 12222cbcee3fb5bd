"""Compiles the tables of prices and capabilities into the data file of `dragoman.facts`: `python -m scripts.facts`."""
