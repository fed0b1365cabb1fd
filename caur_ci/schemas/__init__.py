"""JSON Schemas of the project's files, shipped so that editors can use them."""
