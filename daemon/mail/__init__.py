"""Letters by SMTP, sent until they are sent."""
