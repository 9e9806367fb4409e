#!/usr/bin/env python3
"""check_schema.py SCHEMA DOCUMENTS: one line "valid" or "invalid" for each element of the JSON list in DOCUMENTS.
Exits 77 without the jsonschema package."""
import json
import sys

try:
    import jsonschema
    Validator = jsonschema.Draft202012Validator
except (ImportError, AttributeError):
    sys.exit(77)

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    documents = json.load(file)
Validator.check_schema(schema)
validator = Validator(schema)
for document in documents:
    print("valid" if validator.is_valid(document) else "invalid")
