"""A fleet of simulated clusters over real sockets, and what an audit of all of them costs."""
