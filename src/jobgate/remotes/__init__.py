"""The far ends of pull and push: LRSs, and files of JSON lines under the operator's folder. No database."""
