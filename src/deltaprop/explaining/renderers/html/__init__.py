"""One page of HTML, with the network as a picture."""
