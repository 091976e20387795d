"""What a user would say: generate, convert, show, data, train, models. Each is one call."""
