"""The text of objects' definitions, as the server and as pg_dump write them."""
