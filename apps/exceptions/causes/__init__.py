"""What one record has caused, on a page of its own and over REST."""
