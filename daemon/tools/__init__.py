"""What a voice agent may ask while it talks: tools, and who is calling."""
