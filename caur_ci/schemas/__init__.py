"""JSON Schemas of the project's files, shipped so that editors can use them.

Those of the configuration files say what `caur_ci.config` declares; `python -m caur_ci.schemas`
writes them anew, a test holds them to it.
"""
