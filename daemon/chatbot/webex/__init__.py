"""The bot at Webex: its REST API, its webhooks there, what they deliver and what it says."""
