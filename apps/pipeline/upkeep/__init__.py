"""What keeps every connection whole without being asked, one module a job."""
