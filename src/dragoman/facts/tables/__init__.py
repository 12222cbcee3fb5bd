"""Tables of others: readers of models.dev, LiteLLM's map and genai-prices, and what they come to together.

`providers.py` says which of their providers is which of ours, and how names are written there; `models_dev.py`,
`litellm.py` and `genai_prices.py` read one table each into facts in our own form (`facts/form.py`); `merging.py` lets
the preferred source win, field by field; `compiling.py` makes one document of all. Loaded only to compile our data
file and to take in a table that the user names (`facts/refreshing.py`).
"""
