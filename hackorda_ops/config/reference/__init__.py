"""What databases.yaml may say, made from the models: the page of every key, the schema, where a value comes from."""
