"""What people look at: the offline HTML player, videos and filmstrips."""
