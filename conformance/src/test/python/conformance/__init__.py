"""An application of the published client, as its users write them."""
