"""DIPCAST DCMIWS: Asterisk's manager interface as JSON over a WebSocket."""
