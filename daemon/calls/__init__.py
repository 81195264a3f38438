"""Calls as Parley sees them, whatever switch they stand on."""
