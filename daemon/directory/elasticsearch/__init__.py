"""The engine that lets an Elasticsearch look for entries.

It finds candidates among the terms that our own analysis made of every entry, and tells how many entries have which
term; the candidates are scored by the same code as the embedded engine's. So nothing of the server's own analysis
counts, and no plugin, script or file is needed there.
"""
