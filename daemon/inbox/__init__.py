"""The inbox: takes work in durably, and does it until it is done, or dead and kept."""
