"""One file a workflow: drop one in, and the board, the queue, the inbox and the API know it."""
