"""Search parameters of R4, as ``tools/build_search_parameters.py`` writes them."""
