"""The searchable directory of services, people and teams."""
