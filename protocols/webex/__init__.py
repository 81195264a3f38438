"""What Webex says and is told: webhooks, messages, cards, pages. Source: developer.webex.com."""
