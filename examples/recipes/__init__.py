"""Recipes: whole tasks in a page of code, nearly all for `Scripe` and for `AsyncScripe`."""
