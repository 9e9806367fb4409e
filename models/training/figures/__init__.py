"""People drawn from a jointed body in three dimensions, and the clip of media/ made of them."""
