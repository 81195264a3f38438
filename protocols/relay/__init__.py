"""Voice relay v1: a gateway owns the telephone, an app leads the conversation in text over a WebSocket."""
