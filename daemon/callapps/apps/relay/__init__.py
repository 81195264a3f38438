"""An app elsewhere leads the call in text: Parley is the gateway of voice relay v1."""
