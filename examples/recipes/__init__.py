"""Recipes: whole tasks in a page of code, each for `Scripe` and for `AsyncScripe`."""
