"""The call apps that come with Parley."""
