"""The services that come with the chatbot."""
